#!/bin/sh
# lazy.sh CC ARCHIVE...: assembly, on standard output, for libraries that few commands need. Their functions that the
# archives call become jumps through a table; the first call of one loads its library (base/lazy.c). x86-64 only.
set -eu
cc=$1
shift

# PREFIX LIBRARY: the functions whose names begin so, and where they are.
libraries() {
	echo "vir[A-Z] virt"
	echo "curl_ curl"
	echo "nft_ nftables"
	echo "git_ git2"
	echo "PQ pq"
	echo "MHD_ microhttpd"
	echo "sqlite3_ sqlite3"
	echo "archive_ archive"
	echo "snappy_ snappy"
}
soname() {
	file=$($cc -print-file-name="lib$1.so")
	[ "$file" != "lib$1.so" ] && objdump -p "$file" | sed -n 's/^ *SONAME *//p'
}

cat <<'ASM'
	.section .note.GNU-stack, "", @progbits
	.text
	.type zp_lazy_entry, @function
# The number of the function is on the stack, above its caller's return address; its arguments stay as they are.
zp_lazy_entry:
	pushq %rax
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %r8
	pushq %r9
	pushq %r10
	subq $128, %rsp
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
	movups %xmm4, 64(%rsp)
	movups %xmm5, 80(%rsp)
	movups %xmm6, 96(%rsp)
	movups %xmm7, 112(%rsp)
	movq 192(%rsp), %rdi
	call zp_lazy_resolve
	movq %rax, %r11
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	movups 64(%rsp), %xmm4
	movups 80(%rsp), %xmm5
	movups 96(%rsp), %xmm6
	movups 112(%rsp), %xmm7
	addq $128, %rsp
	popq %r10
	popq %r9
	popq %r8
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rax
	addq $8, %rsp
	jmp *%r11
ASM

list=$(mktemp)
trap 'rm -f "$list"' EXIT
libraries | while read -r prefix library; do
	name=$(soname "$library") || continue
	[ -n "$name" ] || continue
	nm -u "$@" 2>/dev/null | sed -n "s/^ *U \(${prefix}[A-Za-z0-9_]*\)$/\1 $name/p" | sort -u
done >"$list"

awk '{
	printf "\t.globl %s\n\t.type %s, @function\n%s:\n", $1, $1, $1
	printf "\tmovq zp_lazy_table+%d(%%rip), %%r11\n\ttestq %%r11, %%r11\n\tje 1f\n\tjmp *%%r11\n", 8 * (NR - 1)
	printf "1:\tpushq $%d\n\tjmp zp_lazy_entry\n", NR - 1
}' "$list"
echo "	.bss"
echo "	.align 8"
echo "	.globl zp_lazy_table"
echo "zp_lazy_table: .zero $(($(wc -l <"$list") * 8 + 8))"
awk '
BEGIN { print "\t.section .rodata" }
{ printf "zp_lazy_f%d: .asciz \"%s\"\nzp_lazy_l%d: .asciz \"%s\"\n", NR, $1, NR, $2 }
END {
	print "\t.section .data.rel.ro, \"aw\"\n\t.align 8\n\t.globl zp_lazy_functions\nzp_lazy_functions:"
	for (i = 1; i <= NR; i++) printf "\t.quad zp_lazy_f%d, zp_lazy_l%d\n", i, i
	print "\t.quad 0, 0"
}' "$list"
