/*
 * What the node tells a machine: a small read-only disk the machine's init reads at boot. Shared by
 * both sides, so it holds nothing but names.
 *
 * The disk begins with GUEST_MAGIC and a NUL; then records of two texts, each ended by a NUL: a key and
 * its value. The last record is GUEST_END with an empty value: a disk without it is refused.
 *
 *	hostname NAME
 *	nic MAC			the card of the private network, and
 *	address IP/PREFIX	its address
 *	gateway ADDRESS		default route
 *	dns ADDRESS
 *	public-nic MAC		the card of the public network, and
 *	public-address IP/PREFIX
 *	public-gateway ADDRESS	default route; then
 *	private RANGE		leads through gateway
 *	planetary-nic MAC	the card of the planetary network, and
 *	planetary-address IPV6	its address in a /64
 *	planetary-gateway IPV6	where 200::/7 leads
 *	mount SERIAL PATH
 *	env NAME=VALUE
 *	arg TEXT		of the entrypoint, in order
 *	console 1		a shell, no entrypoint
 */
#ifndef PROVIDER_MACHINE_GUEST_FORMAT_H
#define PROVIDER_MACHINE_GUEST_FORMAT_H

#define GUEST_MAGIC "zplan machine 1"
#define GUEST_MAX_CONFIG (1 << 20)
#define GUEST_END "end"

/* Disks are known by their serial (at most 20 characters): these two, and one per mount. */
#define GUEST_CONFIG_SERIAL "zplan-config"
#define GUEST_ROOT_SERIAL "zplan-root"

/* Lines of ours on the console begin with this; one says that the entrypoint has been started. */
#define GUEST_SAYS "zplan: "
#define GUEST_READY "ready"

#endif
