#include "providers/logs/wire.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "providers/machine/download.h"
#include "providers/network/kernel.h"

#define CONNECT_MS 10000L
#define ANSWER_MS 30000
#define SLICE_MS 1000
#define IN_LIMIT ((size_t)1 << 20)

struct opening {
	struct log_wire *wire;
	const struct provider_log_output *output;
	struct curl_slist *resolved;
};

static int connect_inside(void *data, struct zp_error *err)
{
	const struct opening *opening = data;
	CURL *curl = opening->wire->curl;
	char reason[CURL_ERROR_SIZE] = "";
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
	if (code != CURLE_OK || fd == CURL_SOCKET_BAD)
		return zp_error_set(err, "%s", *reason ? reason : curl_easy_strerror(code));
	opening->wire->fd = fd;
	return 0;
}

/*
 * A name is looked up here, where the node's resolver is at hand, and connected to from there.
 * Leaves the list empty for what is an address already, and for what is not found.
 */
static struct curl_slist *look_up(const struct provider_log_output *output)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char text[NI_MAXHOST];
	zp_autobuf line = ZP_BUF_INIT;
	struct in6_addr scratch;

	if (inet_pton(AF_INET, output->host, &scratch) == 1 ||
		inet_pton(AF_INET6, output->host, &scratch) == 1 ||
		getaddrinfo(output->host, NULL, &hints, &found) != 0)
		return NULL;
	zp_buf_printf(&line, "%s:%d:", output->host, output->port);
	for (const struct addrinfo *at = found; at; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0,
			    NI_NUMERICHOST) == 0)
			zp_buf_printf(&line, at->ai_family == AF_INET6 ? "%s[%s]" : "%s%s",
				at == found ? "" : ",", text);
	freeaddrinfo(found);
	return curl_slist_append(NULL, line.ptr);
}

static void set_options(CURL *curl, const struct opening *opening)
{
	const struct provider_log_output *output = opening->output;
	bool v6 = strchr(output->host, ':') != NULL;
	zp_autofree char *url = zp_format("%s://%s%s%s:%d/", output->tls ? "https" : "http",
		v6 ? "[" : "", output->host, v6 ? "]" : "", output->port);

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	if (opening->resolved)
		curl_easy_setopt(curl, CURLOPT_RESOLVE, opening->resolved);
	if (output->authority) {
		struct curl_blob blob = { (void *)output->authority, strlen(output->authority),
			CURL_BLOB_COPY };

		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	}
}

int log_wire_open(struct log_wire *wire, const struct provider_log_output *output,
	const char *netns, int stop, struct zp_error *err)
{
	struct opening opening = { .wire = wire, .output = output };
	int rc;

	*wire = (struct log_wire){ .fd = -1, .stop = stop };
	provider_curl_prepare();
	wire->curl = curl_easy_init();
	if (!wire->curl)
		return zp_error_set(err, "libcurl does not start");
	opening.resolved = look_up(output);
	set_options(wire->curl, &opening);
	rc = netns ? provider_netns_run(netns, connect_inside, &opening, err)
		   : connect_inside(&opening, err);
	if (opening.resolved)
		curl_easy_setopt((CURL *)wire->curl, CURLOPT_RESOLVE, NULL);
	curl_slist_free_all(opening.resolved);
	if (rc < 0)
		log_wire_close(wire);
	return rc;
}

void log_wire_close(struct log_wire *wire)
{
	if (wire->curl)
		curl_easy_cleanup(wire->curl);
	zp_buf_release(&wire->in);
	*wire = (struct log_wire){ .fd = -1, .stop = -1 };
}

/* Waits until the wire is ready for events, at most *left ms, of which it takes. */
static int wait_for(struct log_wire *wire, short events, int *left, struct zp_error *err)
{
	struct pollfd polls[] = { { .fd = wire->fd, .events = events },
		{ .fd = wire->stop, .events = POLLIN } };
	int slice = *left < SLICE_MS ? *left : SLICE_MS;
	int n = poll(polls, 2, slice);

	if (n < 0 && errno != EINTR)
		return zp_error_errno(err, "waiting for the target");
	if (n > 0 && polls[1].revents)
		return zp_error_set(err, "stopped");
	if (n <= 0)
		*left -= slice;
	return *left > 0 ? 0 : zp_error_set(err, "no answer within %d s", ANSWER_MS / 1000);
}

int log_wire_write(struct log_wire *wire, struct zp_str bytes, struct zp_error *err)
{
	int left = ANSWER_MS;

	while (bytes.len > 0) {
		size_t sent = 0;
		CURLcode code = curl_easy_send(wire->curl, bytes.ptr, bytes.len, &sent);

		if (code != CURLE_OK && code != CURLE_AGAIN)
			return zp_error_set(err, "sending: %s", curl_easy_strerror(code));
		if (sent == 0 && wait_for(wire, POLLOUT, &left, err) < 0)
			return -1;
		bytes.ptr += sent;
		bytes.len -= sent;
	}
	return 0;
}

/* 1: something came; 0: nothing for now; -1. */
static int receive(struct log_wire *wire, struct zp_error *err)
{
	char chunk[4096];
	size_t got = 0;
	CURLcode code = curl_easy_recv(wire->curl, chunk, sizeof(chunk), &got);

	if (code == CURLE_AGAIN)
		return 0;
	if (code != CURLE_OK)
		return zp_error_set(err, "receiving: %s", curl_easy_strerror(code));
	if (got == 0)
		return zp_error_set(err, "the connection was closed");
	zp_buf_add(&wire->in, chunk, got);
	if (wire->in.len > IN_LIMIT)
		return zp_error_set(err, "the answer is too long");
	return 1;
}

int log_wire_read(struct log_wire *wire, struct zp_error *err)
{
	int left = ANSWER_MS, rc;

	while ((rc = receive(wire, err)) == 0)
		if (wait_for(wire, POLLIN, &left, err) < 0)
			return -1;
	return rc < 0 ? -1 : 0;
}

int log_wire_peek(struct log_wire *wire, struct zp_error *err)
{
	int rc;

	while ((rc = receive(wire, err)) > 0)
		;
	return rc;
}

void log_wire_used(struct log_wire *wire, size_t count)
{
	memmove(wire->in.ptr, wire->in.ptr + count, wire->in.len - count);
	wire->in.len -= count;
}
