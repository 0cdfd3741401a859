/* What libvirt is told of a machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "providers/machine/domain.h"

static const struct provider_domain_disk disks[] = {
	{ "/n/root.qcow2", "qcow2", "zplan-root", false },
	{ "/n/a&b<c>'d'\"e\"", "raw", "zplan-config", true },
};

static struct provider_domain domain = {
	.name = "m-1",
	.uuid = "00000000-0000-8000-8000-000000000000",
	.cpu = 2,
	.memory = (INT64_C(300) << 20) + 12345,
	.kernel = "/g/vmlinux",
	.initramfs = "/g/initramfs",
	.command_line = PROVIDER_CONTAINER_COMMAND_LINE,
	.disks = disks,
	.disk_count = 2,
	.bridge = "b-1",
	.tap = "t-1",
	.mac = "02:00:00:00:00:01",
	.console_socket = "/n/s",
	.console_log = "/n/l",
};

static const char emulated[] =
	"<domain type='qemu'>\n"
	"<name>m-1</name><uuid>00000000-0000-8000-8000-000000000000</uuid>\n"
	"<memory unit='MiB'>300</memory><vcpu>2</vcpu>\n"
	"<os><type arch='x86_64' machine='q35'>hvm</type><kernel>/g/vmlinux</kernel>"
	"<initrd>/g/initramfs</initrd><cmdline>console=ttyS0 quiet panic=-1 cryptomgr.notests "
	"noreplace-smp</cmdline></os>\n"
	"<features><acpi/><tcg><tb-cache unit='MiB'>32</tb-cache></tcg></features>\n"
	"<cpu mode='custom' match='exact'><model>qemu64</model>"
	"<feature policy='require' name='rdrand'/></cpu>\n"
	"<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>"
	"<on_crash>destroy</on_crash>\n"
	"<devices>\n"
	"<disk type='file' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/>"
	"<source file='/n/root.qcow2'/><target dev='vda' bus='virtio'/>"
	"<serial>zplan-root</serial>"
	"<address type='pci' domain='0x0000' bus='0x00' slot='0x06' function='0x0'/></disk>\n"
	"<disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap'/>"
	"<source file='/n/a&amp;b&lt;c&gt;&apos;d&apos;&quot;e&quot;'/>"
	"<target dev='vdb' bus='virtio'/><serial>zplan-config</serial>"
	"<address type='pci' domain='0x0000' bus='0x00' slot='0x07' function='0x0'/><readonly/></disk>\n"
	"<interface type='bridge'><mac address='02:00:00:00:00:01'/><source bridge='b-1'/>"
	"<target dev='t-1'/><model type='virtio'/><rom enabled='no'/>"
	"<address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/></interface>\n"
	"<controller type='usb' model='none'/><memballoon model='none'/>\n"
	"<serial type='unix'><source mode='bind' path='/n/s'/>"
	"<log file='/n/l' append='on'/></serial>\n"
	"</devices>\n"
	"</domain>\n";

static void test_emulated(void **state)
{
	struct zp_buf out = ZP_BUF_INIT;

	(void)state;
	provider_domain_xml(&domain, &out);
	assert_string_equal(out.ptr, emulated);
	zp_buf_release(&out);
}

static void test_kvm_on_a_daemon(void **state)
{
	struct provider_domain other = domain;
	struct zp_buf out = ZP_BUF_INIT;

	(void)state;
	other.kvm = other.root = true;
	provider_domain_xml(&other, &out);
	assert_non_null(strstr(out.ptr, "<domain type='kvm'>"));
	assert_non_null(strstr(out.ptr, "<cpu mode='host-passthrough' migratable='off'/>"));
	assert_null(strstr(out.ptr, "tb-cache"));
	assert_non_null(strstr(out.ptr, "<seclabel type='static' model='dac' relabel='no'>"
					"<label>+0:+0</label></seclabel>"));
	zp_buf_release(&out);
}

/* Written down here so that a change is noticed: machines would get other addresses. */
static void test_identity(void **state)
{
	char uuid[37], mac[18], other[37];

	(void)state;
	provider_domain_uuid("al", "u1/vm", uuid);
	provider_domain_mac("al", "u1/vm", mac);
	assert_int_equal(strlen(uuid), 36);
	assert_int_equal(uuid[14], '8');
	assert_non_null(strchr("89ab", uuid[19]));
	assert_string_equal(uuid, "59f4cd59-0085-8998-827d-7f997940164c");
	assert_string_equal(mac, "02:ba:34:6f:c3:11");
	provider_domain_uuid("al", "u2/vm", other);
	assert_string_not_equal(uuid, other);
	provider_domain_uuid("am", "u1/vm", other);
	assert_string_not_equal(uuid, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulated),
		cmocka_unit_test(test_kvm_on_a_daemon),
		cmocka_unit_test(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
