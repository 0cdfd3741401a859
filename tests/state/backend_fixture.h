/*
 * Servers for the tests of backends, and settings that lead to them. PostgreSQL runs in a temporary
 * folder as a user without privileges, reachable by a socket there; where it is not installed its
 * tests are left out.
 */
#ifndef TESTS_STATE_BACKEND_FIXTURE_H
#define TESTS_STATE_BACKEND_FIXTURE_H

#include "tests/state/http_server.h"

#include <fcntl.h>
#include <git2.h>
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
	pid_t pg, git;
	int git_port;
};

static inline bool backend_is_there(const struct backends *all, const char *kind)
{
	return strcmp(kind, "pg") == 0 ? all->pg > 0
				       : strcmp(kind, "git-daemon") != 0 || all->git > 0;
}

static inline void put(struct state_settings *settings, const char *name, char *text)
{
	zp_autoerror err = ZP_ERROR_INIT;

	if (state_settings_set(settings, name, text, &err) < 0)
		fail_msg("%s", zp_error_text(&err));
	free(text);
}

/* name keeps the tests apart. */
static inline void backend_settings(
	struct backends *all, const char *kind, const char *name, struct state_settings *settings)
{
	state_settings_init(
		settings, state_backend_type(strcmp(kind, "git-daemon") == 0 ? "git" : kind));
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
	} else if (strcmp(kind, "git-daemon") == 0) {
		put(settings, "url", zp_format("git://127.0.0.1:%d/repository.git", all->git_port));
		put(settings, "branch", zp_format("daemon-%s", name));
	} else if (strcmp(kind, "git") == 0) {
		put(settings, "url", zp_format("%s/repository.git", all->folder));
		put(settings, "branch", zp_strdup(name));
		put(settings, "path", zp_format("states/%s.tfstate", name));
	} else if (strcmp(kind, "pg") == 0) {
		put(settings, "conn_str",
			zp_format("postgres:///postgres?host=%s&user=tester", all->folder));
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
	if (user &&
		(setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
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
	pid_t pid =
		start_unprivileged(all, (const char *[]){ initdb, "-D", data, "-U", "tester", "-A",
						"trust", "-N", "-E", "UTF8", "--locale=C", NULL });
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return false;
	all->pg = start_unprivileged(
		all, (const char *[]){ server, "-D", data, "-k", all->folder, "-c",
			     "listen_addresses=", "-c", "max_connections=250", "-c", "fsync=off",
			     "-c", "shared_buffers=32MB", NULL });
	zp_autofree char *socket = zp_format("%s/.s.PGSQL.5432.lock", all->folder);
	for (int i = 0; i < 200 && !zp_file_exists(socket); i++)
		usleep(50000);
	usleep(300000);
	return true;
}

static inline int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		abort();
	close(fd);
	return ntohs(address.sin_port);
}

/* git's own server: pushes are compared by git itself. */
static inline void start_git(struct backends *all)
{
	if (!zp_file_exists("/usr/lib/git-core/git-daemon"))
		return;
	all->git_port = free_port();
	zp_autofree char *port = zp_format("--port=%d", all->git_port);
	zp_autofree char *base = zp_format("--base-path=%s", all->folder);
	all->git = fork();
	if (!all->git) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("GIT_CONFIG_COUNT", "1", 1);
		setenv("GIT_CONFIG_KEY_0", "safe.directory", 1);
		setenv("GIT_CONFIG_VALUE_0", "*", 1);
		setenv("PATH", "/usr/lib/git-core:/usr/bin:/bin", 1);
		execl("/usr/lib/git-core/git-daemon", "/usr/lib/git-core/git-daemon",
			"--export-all", "--enable=receive-pack", "--listen=127.0.0.1", port, base,
			all->folder, (char *)NULL);
		_exit(127);
	}
	usleep(200000);
}

static inline int backends_setup(void **data)
{
	static struct backends all;
	glob_t found;

	all.folder = zp_strdup("/tmp/zplan-backends-XXXXXX");
	if (!mkdtemp(all.folder) || chdir(all.folder) < 0)
		return -1;
	git_repository *repository = NULL;
	git_libgit2_init();
	if (git_repository_init(&repository, "repository.git", true) < 0)
		return -1;
	git_repository_free(repository);
	http_server_start(&all.http, "user", "pass");
	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
		all.pg_bin = zp_strdup(found.gl_pathv[found.gl_pathc - 1]);
		if (!start_pg(&all))
			print_message("PostgreSQL could not be started: left out\n");
	} else {
		print_message("PostgreSQL is not installed: left out\n");
	}
	globfree(&found);
	start_git(&all);
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
	if (all->git > 0) {
		kill(all->git, SIGKILL);
		waitpid(all->git, NULL, 0);
	}
	http_server_stop(&all->http);
	if (chdir("/") == 0)
		zp_remove_tree(all->folder, NULL);
	free(all->folder);
	free(all->pg_bin);
	return 0;
}

#endif
