#include <stdio.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "providers/provider.h"
#include "state/state.h"

static const char *architecture(const struct utsname *system)
{
	if (zp_str_is(zp_str(system->machine), "x86_64"))
		return "amd64";
	return zp_str_is(zp_str(system->machine), "aarch64") ? "arm64" : system->machine;
}

static void print_json(const char *platform)
{
	zp_autobuf out = ZP_BUF_INIT;
	struct zp_json_writer writer;

	zp_json_writer_init(&writer, &out, true);
	zp_json_begin_object(&writer);
	zp_json_key(&writer, "terraform_version");
	zp_json_cstr(&writer, STATE_TERRAFORM_VERSION);
	zp_json_key(&writer, "zplan_version");
	zp_json_cstr(&writer, ZPLAN_VERSION);
	zp_json_key(&writer, "platform");
	zp_json_cstr(&writer, platform);
	zp_json_key(&writer, "provider_selections");
	zp_json_begin_object(&writer);
	zp_json_end_object(&writer);
	zp_json_key(&writer, "terraform_outdated");
	zp_json_bool(&writer, false);
	zp_json_end_object(&writer);
	puts(out.ptr);
}

int cli_version(int argc, char **argv)
{
	bool json = false;
	struct cli_option options[] = { { "json", CLI_SWITCH, &json } };
	struct utsname system;

	if (!cli_options_parse(options, ZP_ARRAY_SIZE(options), &argc, argv, "version"))
		return 1;
	uname(&system);
	char platform[128];
	snprintf(platform, sizeof(platform), "linux_%s", architecture(&system));
	if (json)
		print_json(platform);
	else
		printf("zplan v%s\non %s\n+ language and state of Terraform v%s\n", ZPLAN_VERSION,
			platform, STATE_TERRAFORM_VERSION);
	return 0;
}
