#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs gsmgw @VERSION@ from this directory, without internet and without questions.
#
#   sudo ./install.sh                       program below /usr/local, account, directories, service
#   sudo ./install.sh --prefix /opt/gsmgw   the same, with the program there
#   ./install.sh --no-service --prefix DIR  the program alone, as any user
#   sudo ./install.sh --remove              takes it away again; configuration and messages stay
#
# --python PROGRAM chooses a Python; else the first that fits of @PYTHONS@. The same command again
# upgrades: configuration and messages stay, a running daemon goes on with the new program.
set -eu

version=@VERSION@
machine=@MACHINE@
pythons="@PYTHONS@"
prefix=/usr/local
python=
service=yes
action=install

refuse() {
    echo "install.sh: $*" >&2
    exit 1
}

usage() {
    sed -n '3,13s/^# \{0,1\}//p' "$0"
    exit "$1"
}

read_options() {
    while [ $# -gt 0 ]; do
        case "$1" in
        --prefix | --python)
            [ $# -gt 1 ] || refuse "$1 wants a value"
            if [ "$1" = --prefix ]; then prefix=$2; else python=$2; fi
            shift
            ;;
        --prefix=*) prefix=${1#*=} ;;
        --python=*) python=${1#*=} ;;
        --no-service) service=no ;;
        --remove) action=remove ;;
        -h | --help) usage 0 ;;
        *)
            echo "install.sh: there is no option $1" >&2
            usage 64 >&2
            ;;
        esac
        shift
    done
}

# -- what it refuses ------------------------------------------------------------------------------

check_prefix() {
    case "$prefix" in
    /) refuse "--prefix / would mix gsmgw with the system; take /usr/local or /opt/gsmgw" ;;
    /usr | /usr/) refuse "/usr belongs to the system's own packages; take /usr/local or /opt/gsmgw" ;;
    *[!A-Za-z0-9/._+-]*) refuse "--prefix may hold letters, digits and / . _ + - only: $prefix" ;;
    /*) prefix=${prefix%/} ;;
    *) refuse "--prefix wants a full path, beginning with /: $prefix" ;;
    esac
    [ "$service" = yes ] || return 0
    case "$prefix/" in
    /home/* | /root/* | /run/user/* | /tmp/* | /var/tmp/*)
        refuse "the service may not look into $prefix; take /usr/local or /opt/gsmgw"
        ;;
    esac
}

check_rights() {
    if [ "$service" = yes ]; then
        [ "$(id -u)" -eq 0 ] \
            || refuse "account, directories and service want root: sudo ./install.sh;" \
                "the program alone: ./install.sh --no-service --prefix DIR"
        for program in systemctl systemd-sysusers systemd-tmpfiles; do
            command -v "$program" >/dev/null \
                || refuse "there is no $program, so no service can be set up;" \
                    "the program alone: ./install.sh --no-service --prefix DIR"
        done
        if command -v dpkg-query >/dev/null \
            && dpkg-query -W -f '${Status}' gsmgw 2>/dev/null | grep -q ' installed$'; then
            refuse "the Debian package gsmgw is installed; upgrade that, or remove it first: apt remove gsmgw"
        fi
    fi
}

check_machine() {
    [ "$(uname -s)" = Linux ] || refuse "this is for Linux, not for $(uname -s)"
    [ "$(uname -m)" = "$machine" ] \
        || refuse "this archive is for $machine, and this machine is $(uname -m); take the archive for it"
    if ldd --version 2>&1 | grep -qi musl; then
        refuse "the libraries inside want glibc; this system has musl (Alpine?)"
    fi
}

# The archive came by stick or mail: nothing of it is used before all of it is known to be whole.
check_archive() {
    [ -f SHA256SUMS ] || refuse "SHA256SUMS is missing; unpack the archive again and run install.sh there"
    command -v sha256sum >/dev/null || refuse "the program sha256sum is missing (package coreutils)"
    wrong=$(sha256sum --check --quiet SHA256SUMS 2>/dev/null) \
        || refuse "the archive is damaged; copy and unpack it again. Wrong:" \
            "$(echo "${wrong:-SHA256SUMS}" | sed 's/: .*//' | tr '\n' ' ')"
}

fits() {
    number=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    case " $pythons " in
    *" $number "*) ;;
    *) return 1 ;;
    esac
    "$1" -c 'import venv, sqlite3' 2>/dev/null || return 1
    [ "$service" = yes ] || return 0
    case "$("$1" -c 'import sys; print(sys.base_prefix)')/" in
    /home/* | /root/*) return 1 ;; # where the service may not look
    esac
}

choose_python() {
    if [ -n "$python" ]; then
        fits "$python" || refuse "$python is no Python that fits; this archive has libraries for" \
            "$pythons, and the service sees none below /home and /root"
        python=$(command -v "$python")
        return
    fi
    for candidate in /usr/bin/python3 python3 $(for one in $pythons; do echo "python$one"; done); do
        if fits "$candidate"; then
            python=$(command -v "$candidate")
            return
        fi
    done
    refuse "there is no Python that fits. This archive has libraries for Python $pythons;" \
        "on Debian and Ubuntu: apt install python3"
}

# -- the program ----------------------------------------------------------------------------------

# Built beside the old one and then exchanged, so that a failure leaves the old one as it was.
install_program() {
    library=$prefix/lib/gsmgw
    mkdir -p "$prefix/bin" "$prefix/lib" "$prefix/share" \
        || refuse "$prefix cannot be written; choose another --prefix, or be root"
    rm -rf "$library.new" "$library.old"
    "$python" -m venv --without-pip "$library.new" || refuse "$python cannot make an environment"
    # The archive's own pip, run as it is packed: Debian's Python may come without one.
    for pip in wheels/pip-*.whl; do :; done
    PYTHONPATH=$pip "$library.new/bin/python" -W ignore -m pip install --quiet --no-index --no-compile \
        --disable-pip-version-check --root-user-action ignore --find-links wheels "gsmgw==$version" \
        || refuse "the libraries could not be installed; nothing has been changed"
    find "$library.new/bin" ! -name 'python*' ! -type d -exec rm -f {} +
    printf '%s\n' "#!$library/bin/python -I" 'import sys' '' 'from gsmgw.cli.main import main' '' \
        'sys.exit(main())' >"$library.new/bin/gsmgw"
    chmod 0755 "$library.new/bin/gsmgw"
    sed -i "s|$library\.new|$library|g" "$library.new/pyvenv.cfg"
    "$library.new/bin/python" -W ignore -m compileall -q -s "$library.new" -p "$library" "$library.new/lib" \
        || refuse "the program could not be compiled; nothing has been changed"
    if [ -e "$library" ]; then mv "$library" "$library.old"; fi
    mv "$library.new" "$library"
    rm -rf "$library.old"
    ln -sfn "$library/bin/gsmgw" "$prefix/bin/gsmgw"
    rm -rf "$prefix/share/doc/gsmgw"
    cp -R share/. "$prefix/share/"
    "$prefix/bin/gsmgw" --version >/dev/null || refuse "the installed program does not run"
}

# -- the service ----------------------------------------------------------------------------------

install_service() {
    for folder in systemd/system systemd/catalog udev/rules.d sysusers.d tmpfiles.d; do
        mkdir -p "/etc/$folder"
    done
    cp lib/sysusers.d/gsmgw.conf /etc/sysusers.d/gsmgw.conf
    cp lib/tmpfiles.d/gsmgw.conf /etc/tmpfiles.d/gsmgw.conf
    cp lib/udev/rules.d/60-gsmgw.rules /etc/udev/rules.d/60-gsmgw.rules
    sed "s|^ExecStart=/usr/bin/gsmgw|ExecStart=$prefix/bin/gsmgw|" lib/systemd/system/gsmgw.service \
        >/etc/systemd/system/gsmgw.service
    systemd-sysusers gsmgw.conf
    # 73: some other line of the machine could not be followed.
    systemd-tmpfiles --create gsmgw.conf || [ $? -eq 73 ]
    [ -d /etc/gsmgw ] || refuse "the directories could not be made"
    if [ ! -e /etc/gsmgw/gsmgw.yaml ]; then
        install -m 0640 -o root -g gsmgw share/gsmgw/gsmgw.yaml /etc/gsmgw/gsmgw.yaml
    fi
    cp lib/systemd/catalog/gsmgw.catalog /etc/systemd/catalog/gsmgw.catalog
    tell_others
    if [ -d /run/systemd/system ] && systemctl --quiet is-active gsmgw.service; then
        echo "The daemon goes on with the new version; a part on its way is finished first."
        systemctl try-restart gsmgw.service || refuse "the daemon does not start: gsmgw doctor"
    fi
}

# None of these answers in a container, and nothing is lost by that.
tell_others() {
    if [ -d /run/udev ] && command -v udevadm >/dev/null; then
        udevadm control --reload || true
        udevadm trigger --subsystem-match=usb --subsystem-match=tty || true
    fi
    if command -v journalctl >/dev/null; then journalctl --update-catalog || true; fi
    if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
}

remove() {
    if [ "$service" = yes ]; then
        if [ -d /run/systemd/system ]; then systemctl disable --now gsmgw.service || true; fi
        rm -f /etc/systemd/system/multi-user.target.wants/gsmgw.service \
            /etc/systemd/system/gsmgw.service /etc/udev/rules.d/60-gsmgw.rules \
            /etc/sysusers.d/gsmgw.conf /etc/tmpfiles.d/gsmgw.conf /etc/systemd/catalog/gsmgw.catalog
    fi
    rm -rf "$prefix/lib/gsmgw" "$prefix/share/gsmgw" "$prefix/share/doc/gsmgw"
    (cd share && find . -type f ! -path './gsmgw/*' ! -path './doc/*') | while read -r file; do
        rm -f "$prefix/share/$file"
    done
    rm -f "$prefix/bin/gsmgw"
    if [ "$service" = yes ]; then
        tell_others
        echo "Removed. Kept: /etc/gsmgw /var/lib/gsmgw /var/spool/gsmgw and the user gsmgw."
    fi
}

read_options "$@"
case "$0" in */*) cd "${0%/*}" ;; esac
umask 022
check_prefix
check_rights
if [ "$action" = remove ]; then
    remove
    exit 0
fi
check_machine
check_archive
choose_python
install_program
if [ "$service" = no ]; then
    echo "gsmgw $version is in $prefix/bin/gsmgw. Try it without a modem: $prefix/bin/gsmgw demo"
    exit 0
fi
install_service
echo "gsmgw $version is installed and not started unless it ran before. Go on with: $prefix/bin/gsmgw setup"
