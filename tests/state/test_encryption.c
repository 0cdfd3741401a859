/* Encryption at rest: what is sealed opens with its key and with no other, and damage never looks
 * like a state. */
#include "tests/state/folder.h"

#include "base/diag.h"
#include "state/backend.h"
#include "state/encryption.h"
#include "state/journal.h"

#define PASSPHRASE "correct horse battery staple"
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define METHOD(keys)                                                                               \
	" method \"aes_gcm\" \"m\" { keys = " keys " }\n method \"unencrypted\" \"u\" {}\n"
#define STATE " state { method = method.aes_gcm.m }\n"
#define PBKDF2(words)                                                                              \
	"key_provider \"pbkdf2\" \"p\" { passphrase = \"" words                                    \
	"\" }\n" METHOD("key_provider.pbkdf2.p")
#define ENV(variable)                                                                              \
	"key_provider \"env\" \"e\" { variable = \"" variable "\" }\n" METHOD("key_provider.env."  \
									      "e")
#define PLAIN "{\n  \"version\": 4,\n  \"serial\": 3, \"lineage\": \"l\"\n}\n"

static struct state_encryption *read_config(const char *text, struct zp_diags *diags)
{
	struct state_encryption *encryption = state_encryption_read_text(zp_str(text), diags);

	state_encryption_install(encryption);
	return encryption;
}

static struct state_encryption *must_read(const char *text)
{
	struct zp_diags diags;

	zp_diags_init(&diags);
	struct state_encryption *encryption = read_config(text, &diags);
	if (!encryption)
		fail_msg("%s: %s", diags.items[0]->summary, diags.items[0]->detail);
	zp_diags_release(&diags);
	return encryption;
}

static struct zp_buf seal(const char *config)
{
	struct state_encryption *encryption = must_read(config);
	struct zp_buf out = ZP_BUF_INIT;
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_encryption_close(STATE_ENCRYPT_STATE, NULL, zp_str(PLAIN), &out, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	state_encryption_install(NULL);
	state_encryption_free(encryption);
	return out;
}

struct open_case {
	const char *sealed_by, *opened_by;
	const char *problem; /* NULL: it opens */
};

static const struct open_case open_cases[] = {
	{ PBKDF2(PASSPHRASE) STATE, PBKDF2(PASSPHRASE) STATE, NULL },
	{ PBKDF2(PASSPHRASE) STATE, PBKDF2("another passphrase") STATE, "the key does not fit" },
	{ ENV("TEST_KEY_A") STATE, ENV("TEST_KEY_A") STATE, NULL },
	{ ENV("TEST_KEY_A") STATE, ENV("TEST_KEY_B") STATE, "the key does not fit" },
	{ ENV("TEST_KEY_A") STATE, ENV("TEST_KEY_NONE") STATE, "has no variable" },
	{ ENV("TEST_KEY_A") STATE, ENV("TEST_KEY_SHORT") STATE, "must give 32 bytes" },
	{ ENV("TEST_KEY_A") STATE, "", "no encryption is configured" },
	/* Rotation: the new key first, the old one as fallback. */
	{ ENV("TEST_KEY_A") STATE,
		"key_provider \"env\" \"old\" { variable = \"TEST_KEY_A\" }\n"
		"method \"aes_gcm\" \"old\" { keys = key_provider.env.old }\n" ENV(
			"TEST_KEY_B") "state {\n method = method.aes_gcm.m\n fallback {\n method = "
				      "method.aes_gcm.old\n }\n }\n",
		NULL },
	{ "key_provider \"command\" \"c\" { command = [\"printf\", \"%s\", \"" HEX
	  "\"] }\n" METHOD("key_provider.command.c") STATE,
		ENV("TEST_KEY_A") STATE, NULL },
	/* A passphrase out of the environment. */
	{ "key_provider \"env\" \"e\" { variable = \"TEST_KEY_SHORT\" }\n"
	  "key_provider \"pbkdf2\" \"p\" {\n chain = key_provider.env.e\n hash_function = "
	  "\"sha256\"\n }\n" METHOD("key_provider.pbkdf2.p") STATE,
		PBKDF2("a passphrase of sorts") STATE, NULL },
	/* Plain text where encryption is configured. */
	{ NULL, ENV("TEST_KEY_A") STATE, "is not encrypted" },
	{ NULL,
		ENV("TEST_KEY_A") "state {\n method = method.aes_gcm.m\n fallback {\n method = "
				  "method.unencrypted.u\n }\n }\n",
		NULL },
	{ NULL, ENV("TEST_KEY_A") "state {\n method = method.unencrypted.u\n }\n", NULL },
};

static void test_open(void **data)
{
	(void)data;
	setenv("TEST_KEY_A", HEX, 1);
	setenv("TEST_KEY_B", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
	setenv("TEST_KEY_B", "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
	setenv("TEST_KEY_SHORT", "a passphrase of sorts", 1);
	for (size_t i = 0; i < ZP_ARRAY_SIZE(open_cases); i++) {
		const struct open_case *test = &open_cases[i];
		zp_autobuf text = ZP_BUF_INIT;
		zp_autoerror err = ZP_ERROR_INIT;
		if (test->sealed_by)
			text = seal(test->sealed_by);
		else
			zp_buf_puts(&text, PLAIN);
		assert_int_equal(
			state_encryption_is_sealed(zp_buf_slice(&text)), test->sealed_by != NULL);
		assert_null(test->sealed_by ? strstr(text.ptr, "\"version\"") : NULL);
		struct state_encryption *encryption = must_read(test->opened_by);
		int rc = state_encryption_open(STATE_ENCRYPT_STATE, &text, "a.tfstate", true, &err);
		state_encryption_install(NULL);
		state_encryption_free(encryption);
		if (!test->problem && rc < 0)
			fail_msg("case %zu: %s", i, zp_error_text(&err));
		if (!test->problem)
			assert_string_equal(text.ptr, PLAIN);
		else if (rc == 0 || !strstr(zp_error_text(&err), test->problem))
			fail_msg("case %zu: %s", i, zp_error_text(&err));
		assert_null(strstr(zp_error_text(&err), PASSPHRASE));
	}
}

/* Whatever byte is changed: an error, or the same text (in what carries no meaning), never another.
 */
static void test_damage(void **data)
{
	(void)data;
	setenv("TEST_KEY_A", HEX, 1);
	zp_autobuf sealed = seal(ENV("TEST_KEY_A") STATE);
	struct state_encryption *encryption = must_read(ENV("TEST_KEY_A") STATE);

	for (size_t i = 0; i < sealed.len; i++) {
		zp_autobuf text = ZP_BUF_INIT;
		zp_autoerror err = ZP_ERROR_INIT;
		zp_buf_str(&text, zp_buf_slice(&sealed));
		text.ptr[i] ^= 1;
		if (state_encryption_open(STATE_ENCRYPT_STATE, &text, "a", true, &err) == 0)
			assert_string_equal(text.ptr, PLAIN);
	}
	for (size_t length = 1; length < sealed.len; length++) {
		zp_autobuf text = ZP_BUF_INIT;
		zp_autoerror err = ZP_ERROR_INIT;
		zp_buf_add(&text, sealed.ptr, length);
		assert_true(state_encryption_open(STATE_ENCRYPT_STATE, &text, "a", true, &err) < 0);
	}
	state_encryption_install(NULL);
	state_encryption_free(encryption);
}

struct bad_config {
	const char *text, *problem;
};

static const struct bad_config bad_configs[] = {
	{ "key_provider \"pbkdf2\" \"p\" {\n passphrase = \"" PASSPHRASE
	  "\"\n iterations = 599999\n }\n",
		"600000" },
	{ "key_provider \"pbkdf2\" \"p\" { passphrase = \"short\" }\n", "16 characters" },
	{ "key_provider \"pbkdf2\" \"p\" {}\n", "passphrase" },
	{ "key_provider \"rot13\" \"p\" {}\n", "no key provider of type" },
	{ "method \"aes_gcm\" \"m\" { keys = key_provider.env.x }\n", "key_provider block" },
	{ "method \"des\" \"m\" {}\n", "no method of type" },
	{ ENV("TEST_KEY_A") "state { method = method.aes_gcm.other }\n", "method block" },
	{ ENV("TEST_KEY_A") "state {\n method = method.unencrypted.u\n enforced = true\n }\n",
		"enforced" },
	{ "nonsense {}\n", "nonsense" },
};

static void test_bad_configurations(void **data)
{
	(void)data;
	for (size_t i = 0; i < ZP_ARRAY_SIZE(bad_configs); i++) {
		struct zp_diags diags;
		zp_diags_init(&diags);
		assert_null(read_config(bad_configs[i].text, &diags));
		assert_true(diags.errors > 0);
		if (!strstr(diags.items[0]->detail, bad_configs[i].problem))
			fail_msg("case %zu: %s", i, diags.items[0]->detail);
		assert_null(strstr(diags.items[0]->detail, PASSPHRASE));
		zp_diags_release(&diags);
	}
}

/* Through a backend: what lies in the file is sealed, and a wrong key leaves it as it is. */
static void test_backend(void **data)
{
	zp_autofree char *path = path_in(data, "a.tfstate");
	zp_autoerror err = ZP_ERROR_INIT;
	struct state *state = state_new(), *again = NULL;

	setenv("TEST_KEY_A", HEX, 1);
	setenv("TEST_KEY_B", "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
	add_object(state, "secret", -1, "{\"password\":\"swordfish\"}");
	struct state_encryption *encryption = must_read(ENV("TEST_KEY_A") STATE);
	for (int round = 0; round < 2; round++) {
		struct state_backend *backend = state_local_open(path, "default", NULL, NULL);
		backend->is_own = true;
		assert_int_equal(state_backend_load(backend, &again, &err), 0);
		state_free(again);
		state->serial++;
		assert_int_equal(state_backend_store(backend, state, &err), 0);
		state_backend_free(backend);
	}
	struct zp_buf before = file_text(path);
	assert_null(strstr(before.ptr, "swordfish"));
	assert_null(strstr(before.ptr, "password"));
	struct state_encryption *wrong = must_read(ENV("TEST_KEY_B") STATE);
	struct state_backend *backend = state_local_open(path, "default", NULL, NULL);
	backend->is_own = true;
	assert_true(state_backend_load(backend, &again, &err) < 0);
	assert_null(again);
	state_encryption_install(encryption);
	assert_int_equal(state_backend_load(backend, &again, &err), 0);
	assert_true(state_equal(state, again));
	state_encryption_install(NULL);
	state_encryption_free(wrong);
	state_encryption_free(encryption);
	struct zp_buf after = file_text(path);
	assert_string_equal(before.ptr, after.ptr);
	zp_buf_release(&before);
	zp_buf_release(&after);
	state_backend_free(backend);
	state_free(again);
	state_free(state);
}

/* The journal's records are sealed too; with another key it is an error, not a damaged journal. */
static void test_journal(void **data)
{
	zp_autofree char *path = path_in(data, "j");
	zp_autoerror err = ZP_ERROR_INIT;
	struct state_replay *replay = NULL;

	setenv("TEST_KEY_A", HEX, 1);
	setenv("TEST_KEY_B", "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
	struct state_encryption *encryption = must_read(ENV("TEST_KEY_A") STATE);
	struct state_journal *journal = state_journal_create(path, "lineage", 4, &err);
	assert_non_null(journal);
	struct state_intent intent = { .action = STATE_ACT_CREATE,
		.address = "t.a",
		.identity = "i",
		.module = "",
		.type = "t",
		.name = "a",
		.provider = "p",
		.planned = ZP_STR("{\"password\":\"swordfish\"}") };
	assert_int_equal(state_journal_intent(journal, &intent, &err), 1);
	state_journal_abandon(journal);
	struct zp_buf text = file_text(path);
	assert_null(strstr(text.ptr, "swordfish"));
	zp_buf_release(&text);
	assert_int_equal(state_journal_read(path, &replay, &err), 0);
	assert_int_equal(replay->count, 1);
	assert_int_equal(replay->serial, 4);
	assert_string_equal(replay->entries[0].intent.address, "t.a");
	state_replay_free(replay);
	struct state_encryption *wrong = must_read(ENV("TEST_KEY_B") STATE);
	assert_true(state_journal_read(path, &replay, &err) < 0);
	assert_non_null(strstr(zp_error_text(&err), "key does not fit"));
	state_encryption_install(NULL);
	assert_true(state_journal_read(path, &replay, &err) < 0);
	state_encryption_free(wrong);
	state_encryption_free(encryption);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_bad_configurations),
		cmocka_unit_test_setup_teardown(test_journal, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_backend, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
