/*
 * IP networks: cidrhost, cidrnetmask, cidrsubnet, cidrsubnets.
 */
#include <arpa/inet.h>

#include "hcl-lite/function.h"
#include "hcl-lite/number.h"

typedef unsigned __int128 address;

struct network {
	address base; /* right-aligned; host bits are zero */
	int bits;     /* 32 or 128 */
	int prefix;
};

static address mask_of(int bits, int prefix)
{
	address all = bits == 128 ? ~(address)0 : ((address)1 << bits) - 1;

	if (prefix == 0)
		return 0;
	return all ^ (prefix == bits ? 0 : ((address)1 << (bits - prefix)) - 1);
}

/* Numbers may have leading zeros, as the peer has always allowed. */
static bool parse_ipv4(const char *text, address *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		unsigned octet = 0, digits = 0;
		for (; *text >= '0' && *text <= '9' && digits < 10; text++, digits++) {
			octet = octet * 10 + (unsigned)(*text - '0');
			if (octet > 255)
				return false;
		}
		if (digits == 0 || *text != (i < 3 ? '.' : '\0'))
			return false;
		text++;
		*out = *out << 8 | octet;
	}
	return true;
}

static bool parse_ipv6(const char *text, address *out)
{
	unsigned char bytes[16];

	if (!strchr(text, ':') || inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	*out = 0;
	for (int i = 0; i < 16; i++)
		*out = *out << 8 | bytes[i];
	return true;
}

static bool parse_prefix(const char *text, int bits, int *prefix)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 5 || text[digits])
		return false;
	*prefix = 0;
	for (size_t i = 0; i < digits; i++)
		*prefix = *prefix * 10 + (text[i] - '0');
	return *prefix <= bits;
}

static bool parse_network(const char *text, struct network *n)
{
	char host[64];
	const char *slash = strchr(text, '/');

	if (!slash || (size_t)(slash - text) >= sizeof(host))
		return false;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (parse_ipv4(host, &n->base))
		n->bits = 32;
	else if (parse_ipv6(host, &n->base))
		n->bits = 128;
	else
		return false;
	if (!parse_prefix(slash + 1, n->bits, &n->prefix))
		return false;
	n->base &= mask_of(n->bits, n->prefix);
	return true;
}

static bool network_argument(struct hcl_call *call, int argument, struct network *n)
{
	const char *text = call->args[0].text;

	if (parse_network(text, n))
		return true;
	if (argument < 0)
		return hcl_call_fail(
			call, "invalid CIDR expression: invalid CIDR address: %s", text);
	return hcl_call_fail_argument(
		call, argument, "invalid CIDR expression: invalid CIDR address: %s", text);
}

static void add_ipv4(struct zp_buf *out, uint32_t a)
{
	zp_buf_printf(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

/* The longest run of two or more zero groups is left out; the first of equals. */
static void add_ipv6(struct zp_buf *out, address a)
{
	unsigned groups[8];
	int best = -1, best_len = 1;

	for (int i = 0; i < 8; i++)
		groups[i] = (unsigned)(a >> (112 - 16 * i) & 0xffff);
	for (int i = 0; i < 8; i++) {
		int len = 0;
		while (i + len < 8 && groups[i + len] == 0)
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			zp_buf_puts(out, "::");
			i += best_len - 1;
			continue;
		}
		if (i > 0 && i != best + best_len)
			zp_buf_char(out, ':');
		else if (i > 0 && best < 0)
			zp_buf_char(out, ':');
		zp_buf_printf(out, "%x", groups[i]);
	}
}

static void add_address(struct zp_buf *out, address a, int bits)
{
	if (bits == 32)
		add_ipv4(out, (uint32_t)a);
	else
		add_ipv6(out, a);
}

static bool give_network(struct hcl_call *call, const struct network *n, struct hcl_value *out)
{
	zp_autobuf text = ZP_BUF_INIT;

	add_address(&text, n->base, n->bits);
	zp_buf_printf(&text, "/%d", n->prefix);
	return hcl_call_text(call, &text, out);
}

/* A whole number that fits 128 bits, apart from its sign; *fits is false for larger ones. */
static bool whole_number(
	struct hcl_call *call, struct hcl_value v, address *magnitude, bool *negative, bool *fits)
{
	mpz_t z;
	mpfr_t x;
	uint64_t words[2] = { 0 };

	if (!hcl_number_is_whole(v) || hcl_number_is_infinite(v))
		return hcl_call_fail(call, "value must be a whole number");
	hcl_number_load(x, v);
	mpz_init(z);
	mpfr_get_z(z, x, MPFR_RNDN);
	*negative = mpz_sgn(z) < 0;
	*fits = mpz_sizeinbase(z, 2) <= 128;
	if (*fits)
		mpz_export(words, NULL, -1, sizeof(words[0]), 0, 0, z);
	*magnitude = (address)words[1] << 64 | words[0];
	mpz_clear(z);
	mpfr_clear(x);
	return true;
}

static bool no_such_host(struct hcl_call *call, const struct network *n, struct hcl_value number)
{
	zp_autobuf text = ZP_BUF_INIT;

	hcl_number_text(number, &text);
	return hcl_call_fail(
		call, "prefix of %d does not accommodate a host numbered %s", n->prefix, text.ptr);
}

/* Negative numbers count from the end. */
static bool cidrhost(struct hcl_call *call, struct hcl_value *out)
{
	struct network n;
	address number;
	bool negative, fits;
	zp_autobuf text = ZP_BUF_INIT;

	if (!whole_number(call, call->args[1], &number, &negative, &fits) ||
		!network_argument(call, -1, &n))
		return false;
	address last = mask_of(n.bits, 0) | (mask_of(n.bits, n.bits) ^ mask_of(n.bits, n.prefix));
	if (!fits || (negative ? number - 1 > last : number > last))
		return no_such_host(call, &n, call->args[1]);
	add_address(&text, n.base + (negative ? last - (number - 1) : number), n.bits);
	return hcl_call_text(call, &text, out);
}

static bool cidrnetmask(struct hcl_call *call, struct hcl_value *out)
{
	struct network n;
	zp_autobuf text = ZP_BUF_INIT;

	if (!network_argument(call, -1, &n))
		return false;
	if (n.bits != 32)
		return hcl_call_fail(
			call, "IPv6 addresses cannot have a netmask: %s", call->args[0].text);
	add_ipv4(&text, (uint32_t)mask_of(32, n.prefix));
	return hcl_call_text(call, &text, out);
}

static bool cidrsubnet(struct hcl_call *call, struct hcl_value *out)
{
	struct network n;
	int64_t bits;
	address number;
	bool negative, fits;
	zp_autobuf text = ZP_BUF_INIT;

	if (!hcl_call_int(call, call->args[1], INT64_MIN, INT64_MAX, "", &bits) ||
		!whole_number(call, call->args[2], &number, &negative, &fits) ||
		!network_argument(call, -1, &n))
		return false;
	if (bits > n.bits - n.prefix || bits < -n.prefix)
		return hcl_call_fail(call,
			"insufficient address space to extend prefix of %d by %lld", n.prefix,
			(long long)bits);
	hcl_number_text(call->args[2], &text);
	bool room = bits >= 128 || (bits > 0 ? number >> bits == 0 : number == 0);
	if (negative || !fits || !room)
		return hcl_call_fail(call,
			"prefix extension of %lld does not accommodate a subnet numbered %s",
			(long long)bits, text.ptr);
	n.prefix += (int)bits;
	int shift = n.bits - n.prefix;
	n.base |= shift >= 128 ? 0 : number << shift;
	n.base &= mask_of(n.bits, n.prefix);
	return give_network(call, &n, out);
}

static bool subnet_length(struct hcl_call *call, int argument, const struct network *n, int *length)
{
	int64_t bits;

	if (!hcl_number_to_int(call->args[argument], &bits))
		return hcl_call_fail_argument(call, argument,
			"value must be a whole number, between -9223372036854775808 and "
			"9223372036854775807");
	if (bits < 1)
		return hcl_call_fail_argument(
			call, argument, "must extend prefix by at least one bit");
	if (bits > 32)
		return hcl_call_fail_argument(
			call, argument, "may not extend prefix by more than 32 bits");
	*length = n->prefix + (int)bits;
	if (*length > n->bits)
		return hcl_call_fail_argument(call, argument,
			"would extend prefix to %d bits, which is too long for an %s address",
			*length, n->bits == 32 ? "IPv4" : "IPv6");
	return true;
}

/* Each subnet begins at the first address behind the one before that its length allows. */
static bool cidrsubnets(struct hcl_call *call, struct hcl_value *out)
{
	struct network n;
	size_t count = call->count - 1;

	if (!network_argument(call, 0, &n))
		return false;
	struct hcl_value *elements = zp_arena_alloc(call->arena, count * sizeof(*elements));
	struct network current = n;
	for (size_t i = 0; i < count; i++) {
		struct network next = n;
		if (!subnet_length(call, (int)i + 1, &n, &next.prefix))
			return false;
		address mask = mask_of(n.bits, next.prefix), rest = mask_of(n.bits, n.bits) ^ mask;
		address last =
			current.base | (mask_of(n.bits, n.bits) ^ mask_of(n.bits, current.prefix));
		next.base = i == 0 ? n.base : (last + 1 + rest) & mask;
		bool wrapped = i > 0 && last == mask_of(n.bits, n.bits);
		if (wrapped || (next.base & mask_of(n.bits, n.prefix)) != n.base) {
			zp_autobuf text = ZP_BUF_INIT;
			add_address(&text, current.base, n.bits);
			return hcl_call_fail_argument(call, (int)i + 1,
				"not enough remaining address space for a subnet with a prefix of "
				"%d "
				"bits after %s/%d",
				next.prefix, text.ptr, current.prefix);
		}
		if (!give_network(call, &next, &elements[i]))
			return false;
		current = next;
	}
	*out = hcl_list_value(hcl_string, elements, count);
	return true;
}

#define PREFIX                                                                                     \
	{                                                                                          \
		"prefix", HCL_T_STRING, 0                                                          \
	}

static const struct hcl_function functions[] = {
	{ .name = "cidrhost",
		.params = { PREFIX, { "hostnum", HCL_T_NUMBER, 0 } },
		.returns = HCL_T_STRING,
		.call = cidrhost },
	{ .name = "cidrnetmask",
		.params = { PREFIX },
		.returns = HCL_T_STRING,
		.call = cidrnetmask },
	{ .name = "cidrsubnet",
		.params = { PREFIX, { "newbits", HCL_T_NUMBER, 0 }, { "netnum", HCL_T_NUMBER, 0 } },
		.returns = HCL_T_STRING,
		.call = cidrsubnet },
	{ .name = "cidrsubnets",
		.params = { PREFIX },
		.rest = { "newbits", HCL_T_NUMBER, 0 },
		.returns = HCL_T_LIST_STRING,
		.call = cidrsubnets },
};

const struct hcl_function_list hcl_network_functions = { functions, ZP_ARRAY_SIZE(functions) };
