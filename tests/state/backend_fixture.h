/*
 * Servers for the tests of backends, and settings that lead to them. PostgreSQL runs in a temporary folder as a user
 * without privileges, reachable by a socket there; where it is not installed its tests are left out.
 */
#ifndef TESTS_STATE_BACKEND_FIXTURE_H
#define TESTS_STATE_BACKEND_FIXTURE_H

#include "tests/state/http_server.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>

#include "state/backend.h"

struct backends {
	char *folder;
	struct http_server http;
	char *pg_bin; /* folder of initdb and postgres; NULL: none */
	pid_t pg;
};

static inline bool backend_is_there(const struct backends *all, const char *kind)
{
	return strcmp(kind, "pg") != 0 || all->pg > 0;
}

static inline void put(struct state_settings *settings, const char *name, char *text)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_settings_set(settings, name, text, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	free(text);
}

/* name keeps the tests apart. */
static inline void backend_settings(struct backends *all, const char *kind, const char *name,
	struct state_settings *settings)
{
	state_settings_init(settings, state_backend_type(kind));
	if (strcmp(kind, "local") == 0) {
		put(settings, "path", zp_format("%s/%s.tfstate", all->folder, name));
		put(settings, "workspace_dir", zp_format("%s/%s.d", all->folder, name));
	} else if (strcmp(kind, "http") == 0) {
		char *url = zp_format("http://127.0.0.1:%d/%s", all->http.port, name);
		put(settings, "address", zp_strdup(url));
		put(settings, "lock_address", zp_strdup(url));
		put(settings, "unlock_address", url);
		put(settings, "username", zp_strdup("user"));
		put(settings, "password", zp_strdup("pass"));
		put(settings, "retry_wait_min", zp_strdup("0"));
	} else if (strcmp(kind, "pg") == 0) {
		put(settings, "conn_str", zp_format("postgres:///postgres?host=%s&user=tester", all->folder));
		put(settings, "schema_name", zp_format("s_%s", name));
	}
}

/* A child without root's rights, output to a log. */
static inline pid_t start_unprivileged(const struct backends *all, const char *const argv[])
{
	pid_t pid = fork();

	if (pid)
		return pid;
	const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
	zp_autofree char *log = zp_format("%s/pg.log", all->folder);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
	dup2(fd, 1);
	dup2(fd, 2);
	if (user && (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGQUIT); /* a test that crashes leaves no server */
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static inline bool start_pg(struct backends *all)
{
	zp_autofree char *data = zp_format("%s/pg", all->folder);
	zp_autofree char *initdb = zp_format("%s/initdb", all->pg_bin);
	zp_autofree char *server = zp_format("%s/postgres", all->pg_bin);
	const struct passwd *user = getpwnam("postgres");
	int status;

	mkdir(data, 0700);
	if (getuid() == 0 && (!user || chown(data, user->pw_uid, user->pw_gid) < 0 ||
		chown(all->folder, user->pw_uid, user->pw_gid) < 0))
		return false;
	pid_t pid = start_unprivileged(all, (const char *[]){ initdb, "-D", data, "-U", "tester", "-A", "trust",
		"-N", "-E", "UTF8", "--locale=C", NULL });
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return false;
	all->pg = start_unprivileged(all, (const char *[]){ server, "-D", data, "-k", all->folder, "-c",
		"listen_addresses=", "-c", "max_connections=250", "-c", "fsync=off", "-c",
		"shared_buffers=32MB", NULL });
	zp_autofree char *socket = zp_format("%s/.s.PGSQL.5432.lock", all->folder);
	for (int i = 0; i < 200 && !zp_file_exists(socket); i++)
		usleep(50000);
	usleep(300000);
	return true;
}

static inline int backends_setup(void **data)
{
	static struct backends all;
	glob_t found;

	all.folder = zp_strdup("/tmp/zplan-backends-XXXXXX");
	if (!mkdtemp(all.folder) || chdir(all.folder) < 0)
		return -1;
	http_server_start(&all.http, "user", "pass");
	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
		all.pg_bin = zp_strdup(found.gl_pathv[found.gl_pathc - 1]);
		if (!start_pg(&all))
			print_message("PostgreSQL could not be started: left out\n");
	} else {
		print_message("PostgreSQL is not installed: left out\n");
	}
	globfree(&found);
	*data = &all;
	return 0;
}

static inline int backends_teardown(void **data)
{
	struct backends *all = *data;

	if (all->pg > 0) {
		kill(all->pg, SIGQUIT);
		waitpid(all->pg, NULL, 0);
	}
	http_server_stop(&all->http);
	if (chdir("/") == 0)
		zp_remove_tree(all->folder, NULL);
	free(all->folder);
	free(all->pg_bin);
	return 0;
}

#endif
