#include "providers/machine/domain.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* QEMU's own default of translated code is a share of the host's memory, per machine. */
#define TRANSLATION_MIB 32
/* Slots of the root bus: 0, and 31, are the chip set's. */
#define FIRST_CARD 2
#define FIRST_DISK 6

static void text(struct zp_buf *out, const char *value)
{
	for (; *value; value++) {
		switch (*value) {
		case '&':
			zp_buf_puts(out, "&amp;");
			break;
		case '<':
			zp_buf_puts(out, "&lt;");
			break;
		case '>':
			zp_buf_puts(out, "&gt;");
			break;
		case '\'':
			zp_buf_puts(out, "&apos;");
			break;
		case '"':
			zp_buf_puts(out, "&quot;");
			break;
		default:
			zp_buf_char(out, *value);
		}
	}
}

/* before, the value with what XML needs escaped, after. */
static void put(struct zp_buf *out, const char *before, const char *value, const char *after)
{
	zp_buf_puts(out, before);
	text(out, value);
	zp_buf_puts(out, after);
}

static void put_processor(struct zp_buf *out, const struct provider_domain *domain)
{
	zp_buf_puts(out, "<features><acpi/>");
	if (!domain->kvm)
		zp_buf_printf(
			out, "<tcg><tb-cache unit='MiB'>%d</tb-cache></tcg>", TRANSLATION_MIB);
	zp_buf_puts(out, "</features>\n");
	/* Without rdrand a guest's random source is ready only after seconds. */
	zp_buf_puts(out, domain->kvm ? "<cpu mode='host-passthrough' migratable='off'/>\n"
				     : "<cpu mode='custom' match='exact'><model>qemu64</model>"
				       "<feature policy='require' name='rdrand'/></cpu>\n");
}

static void put_boot(struct zp_buf *out, const struct provider_domain *domain)
{
	zp_buf_puts(out, "<os><type arch='x86_64' machine='q35'>hvm</type>");
	if (domain->kernel)
		put(out, "<kernel>", domain->kernel, "</kernel>");
	if (domain->kernel && domain->initramfs)
		put(out, "<initrd>", domain->initramfs, "</initrd>");
	if (domain->kernel)
		put(out, "<cmdline>", domain->command_line, "</cmdline>");
	else
		zp_buf_puts(out, "<boot dev='hd'/>");
	zp_buf_puts(out, "</os>\n");
}

/*
 * On the root bus. Left alone, libvirt gives each device a port of its own, which makes them removable
 * and costs a twentieth of the boot.
 */
static void put_address(struct zp_buf *out, size_t slot)
{
	zp_buf_printf(out,
		"<address type='pci' domain='0x0000' bus='0x00' slot='0x%02zx' function='0x0'/>",
		slot);
}

static void put_disk(struct zp_buf *out, const struct provider_domain_disk *disk, size_t index)
{
	put(out, "<disk type='file' device='disk'><driver name='qemu' type='", disk->format,
		"' discard='unmap'/>");
	put(out, "<source file='", disk->path, "'/>");
	zp_buf_printf(out, "<target dev='vd%c' bus='virtio'/>", (char)('a' + index));
	put(out, "<serial>", disk->serial, "</serial>");
	put_address(out, FIRST_DISK + index);
	zp_buf_puts(out, disk->readonly ? "<readonly/></disk>\n" : "</disk>\n");
}

static void put_interface(struct zp_buf *out, const char *mac, const char *bridge, const char *tap,
	size_t slot)
{
	put(out, "<interface type='bridge'><mac address='", mac, "'/>");
	put(out, "<source bridge='", bridge, "'/>");
	put(out, "<target dev='", tap, "'/>");
	zp_buf_puts(out, "<model type='virtio'/><rom enabled='no'/>");
	put_address(out, slot);
	zp_buf_puts(out, "</interface>\n");
}

static void put_devices(struct zp_buf *out, const struct provider_domain *domain)
{
	zp_buf_puts(out, "<devices>\n");
	for (size_t i = 0; i < domain->disk_count; i++)
		put_disk(out, &domain->disks[i], i);
	put_interface(out, domain->mac, domain->bridge, domain->tap, FIRST_CARD);
	if (domain->public_mac && *domain->public_mac)
		put_interface(out, domain->public_mac, domain->public_bridge, domain->public_tap,
			FIRST_CARD + 1);
	if (domain->planetary_mac && *domain->planetary_mac)
		put_interface(out, domain->planetary_mac, domain->planetary_bridge,
			domain->planetary_tap, FIRST_CARD + 2);
	zp_buf_puts(out, "<controller type='usb' model='none'/><memballoon model='none'/>\n");
	put(out, "<serial type='unix'><source mode='bind' path='", domain->console_socket, "'/>");
	put(out, "<log file='", domain->console_log, "' append='on'/></serial>\n");
	zp_buf_puts(out, "</devices>\n");
}

void provider_domain_xml(const struct provider_domain *domain, struct zp_buf *out)
{
	zp_buf_printf(out, "<domain type='%s'>\n", domain->kvm ? "kvm" : "qemu");
	put(out, "<name>", domain->name, "</name>");
	put(out, "<uuid>", domain->uuid, "</uuid>\n");
	zp_buf_printf(out, "<memory unit='MiB'>%lld</memory><vcpu>%d</vcpu>\n",
		(long long)(domain->memory >> 20), domain->cpu);
	put_boot(out, domain);
	put_processor(out, domain);
	zp_buf_puts(out, "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>"
			 "<on_crash>destroy</on_crash>\n");
	put_devices(out, domain);
	if (domain->root)
		zp_buf_puts(out, "<seclabel type='static' model='dac' relabel='no'>"
				 "<label>+0:+0</label></seclabel>\n");
	zp_buf_puts(out, "</domain>\n");
}

static void hash(const char *what, const char *tag, const char *id, uint8_t out[16])
{
	zp_autobuf data = ZP_BUF_INIT;

	zp_buf_printf(&data, "%s %s %s", what, tag, id);
	crypto_generichash(out, 16, (const unsigned char *)data.ptr, data.len, NULL, 0);
}

void provider_domain_uuid(const char *tag, const char *id, char out[37])
{
	uint8_t h[16];

	hash("machine", tag, id, h);
	/* RFC 9562, version 8: made of what its maker wants. */
	h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12],
		h[13], h[14], h[15]);
}

void provider_domain_mac(const char *tag, const char *id, char out[18])
{
	uint8_t h[16];

	hash("mac", tag, id, h);
	/* Locally administered, unicast. Not fe, which libvirt gives the host's end. */
	snprintf(out, 18, "02:%02x:%02x:%02x:%02x:%02x", h[0], h[1], h[2], h[3], h[4]);
}
