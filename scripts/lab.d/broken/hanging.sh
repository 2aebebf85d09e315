# shellcheck shell=bash disable=SC2034,SC2154
# Broken on purpose: the machines' init waits for ever.

boot_limit=10
kernel_arguments=rdinit=/bin/bash

on_a() { :; }
on_b() { :; }
check() { :; }
