/*
 * A web site inside a machine's namespace that answers every request with its own name, and a
 * client that asks from the namespace "inet".
 */
#ifndef TESTS_PROVIDERS_FAKE_SITE_H
#define TESTS_PROVIDERS_FAKE_SITE_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/providers/fake_wire.h"

struct fake_site {
	const char *name;
	int fd;
	atomic_bool stop;
	pthread_t thread;
};

static inline void site_answer(int fd, const char *name)
{
	struct timeval timeout = { .tv_sec = 1 };
	char request[4096];
	zp_autofree char *reply = zp_format("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
					    "Connection: close\r\n\r\n%s",
		strlen(name), name);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (recv(fd, request, sizeof(request), 0) > 0)
		send(fd, reply, strlen(reply), MSG_NOSIGNAL);
	close(fd);
}

static inline void *site_main(void *arg)
{
	struct fake_site *site = arg;
	struct pollfd poller = { .fd = site->fd, .events = POLLIN };

	while (!atomic_load(&site->stop))
		if (poll(&poller, 1, 20) == 1)
			site_answer(accept(site->fd, NULL, NULL), site->name);
	return NULL;
}

/* Serves on the port of the namespace until stopped. The site must stay where it is. */
static inline int fake_site_start(
	struct fake_site *site, const char *netns, int port, const char *name)
{
	struct wire_socket server = wire_socket("0.0.0.0", port);

	memset(site, 0, sizeof(*site));
	if (provider_netns_run(netns, wire_listen, &server, NULL) != 0)
		return -1;
	site->name = name;
	site->fd = server.fd;
	return pthread_create(&site->thread, NULL, site_main, site);
}

static inline void fake_site_stop(struct fake_site *site)
{
	if (!site->name)
		return;
	atomic_store(&site->stop, true);
	pthread_join(site->thread, NULL);
	close(site->fd);
	site->name = NULL;
}

struct fetch {
	const char *url, *host; /* https: the host of the url; http: the Host header */
	const char *authority;	/* https: file with the certificate to trust */
	CURL *handle;		/* NULL: a connection of its own */
	char body[256];
	long status; /* 0: no answer */
};

static inline size_t fetch_write(char *data, size_t size, size_t count, void *arg)
{
	struct fetch *fetch = arg;

	if (strlen(fetch->body) + size * count < sizeof(fetch->body))
		strncat(fetch->body, data, size * count);
	return size * count;
}

static inline int fetch_inside(void *data, struct zp_error *err)
{
	struct fetch *fetch = data;
	CURL *curl = fetch->handle ? fetch->handle : curl_easy_init();
	zp_autofree char *header = zp_format("Host: %s", fetch->host ? fetch->host : "");
	struct curl_slist *headers = fetch->host ? curl_slist_append(NULL, header) : NULL;
	struct curl_slist *resolve = curl_slist_append(NULL, "+*:443:192.0.2.1");
	CURLcode rc;

	curl_easy_setopt(curl, CURLOPT_URL, fetch->url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 8000L);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, fetch_write);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
	if (fetch->authority)
		curl_easy_setopt(curl, CURLOPT_CAINFO, fetch->authority);
	fetch->body[0] = '\0';
	fetch->status = 0;
	rc = curl_easy_perform(curl);
	if (rc == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &fetch->status);
	else
		zp_error_set(err, "%s", curl_easy_strerror(rc));
	curl_slist_free_all(headers);
	curl_slist_free_all(resolve);
	if (!fetch->handle)
		curl_easy_cleanup(curl);
	return rc == CURLE_OK ? 0 : -1;
}

static inline long fake_fetch(struct fetch *fetch)
{
	struct zp_error err = ZP_ERROR_INIT;

	if (provider_netns_run("inet", fetch_inside, fetch, &err) < 0)
		snprintf(fetch->body, sizeof(fetch->body), "%s", zp_error_text(&err));
	zp_error_clear(&err);
	return fetch->status;
}

#endif
