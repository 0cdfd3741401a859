#include "cli/report.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/file.h"

/* Length of the path of the innermost folder at or above path that holds .git; 0 when none does. */
static size_t repository_root(const char *path)
{
	for (size_t length = strlen(path); length;) {
		zp_autofree char *git = zp_format("%.*s/.git", (int)length, path);
		if (zp_file_exists(git))
			return length;
		while (length && path[length - 1] != '/')
			length--;
		while (length && path[length - 1] == '/')
			length--;
	}
	return 0;
}

char *cli_report_prefix(void)
{
	char path[PATH_MAX];

	if (!getcwd(path, sizeof(path)))
		return zp_strdup("");
	size_t root = repository_root(path);
	return root && path[root] ? zp_format("%s/", path + root + 1) : zp_strdup("");
}
