#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "providers/builtin.h"

static const struct provider *const builtin[] = {
	&provider_zos,
	&provider_grid,
	&provider_terraform,
	&provider_local,
	&provider_null,
	&provider_random_values,
	&provider_time,
	NULL,
};

static void compile_types(const struct provider_resource_type *const *types)
{
	for (; types && *types; types++)
		provider_schema_compile((*types)->schema);
}

static void compile_all(void)
{
	/* Random numbers are asked for by several threads later on. */
	if (sodium_init() < 0)
		abort();
	for (const struct provider *const *provider = builtin; *provider; provider++) {
		provider_schema_compile((*provider)->schema);
		compile_types((*provider)->resources);
		compile_types((*provider)->data_sources);
	}
}

const struct provider *const *provider_all(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, compile_all);
	return builtin;
}

static struct zp_str without_prefix(struct zp_str text, const char *prefix)
{
	size_t len = strlen(prefix);
	return zp_str_starts(text, prefix) ? zp_strn(text.ptr + len, text.len - len) : text;
}

static struct zp_str without_default_host(struct zp_str source)
{
	source = without_prefix(source, "registry.terraform.io/");
	return without_prefix(source, "registry.opentofu.org/");
}

static bool has_source(const struct provider *provider, struct zp_str want)
{
	const char *const *other = provider->other_sources;

	if (zp_str_equal(want, without_default_host(zp_str(provider->source))))
		return true;
	while (other && *other && !zp_str_equal(want, without_default_host(zp_str(*other))))
		other++;
	return other && *other;
}

const struct provider *provider_find(const char *source)
{
	struct zp_str want = without_default_host(zp_str(source));
	/* The namespace that stands for "none given", so that a bare name finds a provider of ours.
	 */
	struct zp_str name = without_prefix(want, "hashicorp/");
	for (const struct provider *const *provider = provider_all(); *provider; provider++)
		if (has_source(*provider, want) || zp_str_is(name, (*provider)->name))
			return *provider;
	return NULL;
}

const struct provider *provider_for_type(const char *type_name)
{
	struct zp_str prefix = zp_strn(type_name, strcspn(type_name, "_"));
	for (const struct provider *const *provider = provider_all(); *provider; provider++)
		if (zp_str_is(prefix, (*provider)->name))
			return *provider;
	return NULL;
}

const struct provider_resource_type *provider_resource(
	const struct provider *provider, const char *type, bool data)
{
	const struct provider_resource_type *const *types =
		data ? provider->data_sources : provider->resources;
	for (; types && *types; types++)
		if (!strcmp((*types)->name, type))
			return *types;
	return NULL;
}
