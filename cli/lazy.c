/*
 * Libraries that few commands need (libvirt alone brings sixty others) are loaded when one of their
 * functions is called for the first time; the jumps are made by mk/lazy.sh.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct function {
	const char *name, *library;
};

/* Weak: a program that is linked with the libraries themselves has no jumps. */
extern _Atomic(void *) zp_lazy_table[] __attribute__((weak));
extern const struct function zp_lazy_functions[] __attribute__((weak));

void *zp_lazy_resolve(uint64_t number);

void *zp_lazy_resolve(uint64_t number)
{
	const struct function *function = &zp_lazy_functions[number];
	void *library = dlopen(function->library, RTLD_NOW | RTLD_LOCAL);
	void *address = library ? dlsym(library, function->name) : NULL;

	if (!address) {
		fprintf(stderr, "%s\nThis part of zplan needs that library: install its Debian package "
			"(make deps installs all of them).\n", dlerror());
		exit(1);
	}
	atomic_store(&zp_lazy_table[number], address);
	return address;
}
