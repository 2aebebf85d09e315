# shellcheck shell=bash disable=SC2034,SC2154
# Broken on purpose: the machines' file system is truncated, so that their kernel can not start init.

prepare() {
    head -c 1000000 "$image_initramfs" >"$scratch/initramfs"
    image_initramfs=$scratch/initramfs
}

on_a() { :; }
on_b() { :; }
check() { :; }
