/* The copy of a repository, kept small: every fetch brings a pack, and many packs make every look slow. */
#include <dirent.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/vec.h"
#include "sync/fetch_internal.h"

#define MOST_PACKS 20

ZP_VEC(name_vec, char *);

static void list_packs(const char *folder, struct name_vec *names)
{
	zp_autoclosedir DIR *dir = opendir(folder);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (zp_str_starts(zp_str(entry->d_name), "pack-") && zp_str_ends(zp_str(entry->d_name), ".pack"))
			zp_vec_push(names, zp_strdup(entry->d_name));
}

/* A walk goes over commits: what the refs have of tags besides is put in by itself. */
static int insert_tags(git_repository *repository, git_packbuilder *builder)
{
	git_reference_iterator *iterator = NULL;
	git_reference *reference = NULL;
	int rc = git_reference_iterator_new(&iterator, repository);

	while (rc == 0 && (rc = git_reference_next(&reference, iterator)) == 0) {
		const git_oid *oid = git_reference_target(reference);
		git_object *object = NULL;
		if (oid && git_object_lookup(&object, repository, oid, GIT_OBJECT_TAG) == 0)
			rc = git_packbuilder_insert_recur(builder, oid, NULL);
		git_object_free(object);
		git_reference_free(reference);
	}
	git_reference_iterator_free(iterator);
	return rc == GIT_ITEROVER ? 0 : rc;
}

/* One pack with everything the refs lead to; its name, or NULL. Heap. */
static char *pack_all(git_repository *repository)
{
	git_packbuilder *builder = NULL;
	git_revwalk *walk = NULL;
	char *name = NULL;

	int rc = git_packbuilder_new(&builder, repository);
	if (rc == 0)
		rc = git_revwalk_new(&walk, repository);
	if (rc == 0)
		rc = git_revwalk_push_glob(walk, "refs/*");
	if (rc == 0)
		rc = git_packbuilder_insert_walk(builder, walk);
	if (rc == 0)
		rc = insert_tags(repository, builder);
	if (rc == 0)
		rc = git_packbuilder_write(builder, NULL, 0, NULL, NULL);
	if (rc == 0)
		name = zp_format("pack-%s.pack", git_packbuilder_name(builder));
	git_revwalk_free(walk);
	git_packbuilder_free(builder);
	return name;
}

static void remove_pack(const char *folder, const char *name)
{
	zp_autofree char *pack = zp_path_join(folder, name);
	zp_autofree char *index = zp_format("%.*s.idx", (int)(strlen(pack) - strlen(".pack")), pack);

	/* Without its index nobody looks for it. */
	unlink(index);
	unlink(pack);
}

void sync_tidy(git_repository *repository, const char *path)
{
	zp_autofree char *folder = zp_path_join(path, "objects/pack");
	struct name_vec names = { 0 };

	list_packs(folder, &names);
	zp_autofree char *all = names.count > MOST_PACKS ? pack_all(repository) : NULL;
	for (size_t i = 0; i < names.count; i++) {
		if (all && strcmp(names.items[i], all) != 0)
			remove_pack(folder, names.items[i]);
		free(names.items[i]);
	}
	zp_vec_release(&names);
}
