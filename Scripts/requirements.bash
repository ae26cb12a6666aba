# What the other scripts need on the machine: sourced, not run.
#
# Debian packages that are missing are installed where that is possible (as root, or through sudo without a
# password); otherwise the command to type is said. Nothing that is there is touched.

swift_wanted=6.3

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "error: $*"
    exit 1
}

# Finds a Swift that is new enough, and puts it on the PATH.
require_swift() {
    local place version
    for place in "" /opt/swift/usr/bin /usr/local/swift/usr/bin "${SWIFTLY_BIN_DIR:-${HOME:-/root}/.local/share/swiftly/bin}"; do
        [ -x "${place:+$place/}swift" ] || command -v "${place:+$place/}swift" >/dev/null || continue
        version=$("${place:+$place/}swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
        if [ -n "$version" ] && printf '%s\n' "$swift_wanted" "$version" | sort -V -C; then
            [ -z "$place" ] || PATH=$place:$PATH
            return
        fi
    done
    say "error: Swift ${swift_wanted} or newer is needed, and ${version:+only }${version:-none} was found"
    say "Get it from https://www.swift.org/install/linux/, for example with swiftly:"
    say "  curl -O https://download.swift.org/swiftly/linux/swiftly-\$(uname -m).tar.gz"
    say "  tar zxf swiftly-\$(uname -m).tar.gz && ./swiftly init && . ~/.local/share/swiftly/env.sh"
    exit 1
}

# Whether all these Debian packages are installed.
has_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || return 1
    done
}

# Installs the Debian packages that are missing; false where that cannot be done.
install_packages() {
    local missing=() package runner=()
    for package in "$@"; do has_packages "$package" || missing+=("$package"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        runner=(sudo -n)
    fi
    say "Installing ${missing[*]} …"
    # The lists of a fresh machine are often empty or old: fetch them only where the first try fails.
    "${runner[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return
    "${runner[@]}" apt-get update -qq >/dev/null || return 1
    "${runner[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Like install_packages, but the script cannot go on without them.
require_packages() {
    install_packages "$@" && return
    if command -v apt-get >/dev/null; then
        fail "these packages are needed: sudo apt-get install $*"
    fi
    # Not Debian: what counts is whether the compiler finds the library.
    pkg-config --exists hdf5 libdeflate zlib liblzf liblz4 libzstd blosc 2>/dev/null && return
    fail "HDF5 1.10 or newer, libdeflate, zlib, LZF, LZ4, Zstandard and Blosc 1, with their headers, and pkg-config are needed (on Debian: $*)"
}

# What building needs.
require_build_tools() {
    require_swift
    require_packages libhdf5-dev libdeflate-dev zlib1g-dev liblzf-dev liblz4-dev libzstd-dev libblosc-dev pkg-config
}

# Installs Python packages into a virtual environment, trusting whom the system trusts.
pip_install() {
    local place=$1 bundle=/etc/ssl/certs/ca-certificates.crt
    shift
    [ -e "$bundle" ] || bundle=
    PIP_CERT=${PIP_CERT:-$bundle} "$place/bin/python" -m pip install -q --disable-pip-version-check --retries 1 "$@" >/dev/null 2>&1
}

# What tests use beside NumPy and h5py, as far as it can be had: readers of what is exported and logged, and a writer of
# HDF5's compressions. Keras would bring gigabytes along. Each is the module to import, then what to install.
python_extras=("tensorboard tensorboard" "onnxruntime onnx onnxruntime" "safetensors safetensors" "hdf5plugin hdf5plugin")

# Adds to a virtual environment of ours what it lacks, also where an older version of this script made it.
add_python_extras() {
    local place=$1 extra module packages
    for extra in "${python_extras[@]}"; do
        read -r module packages <<<"$extra"
        [ -z "$("$place/bin/python" -c "import importlib.util as u; print(u.find_spec('$module') or '')")" ] || continue
        # shellcheck disable=SC2086
        pip_install "$place" $packages || true
    done
}

# Sets TREADLE_PYTHON to a Python with NumPy and h5py, and with the extras where they can be had; leaves it empty
# where there is none.
find_python() {
    local cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}} candidate
    local place=${cache:+$cache/treadle/python}
    place=${place:-$PWD/.build/python}
    for candidate in "${TREADLE_PYTHON:-}" "$place/bin/python" /usr/bin/python3; do
        if [ -n "$candidate" ] && "$candidate" -c 'import numpy, h5py' 2>/dev/null; then
            [ "$candidate" != "$place/bin/python" ] || add_python_extras "$place"
            export TREADLE_PYTHON=$candidate
            return
        fi
    done
    export TREADLE_PYTHON=
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv || true
    say "Making a Python with NumPy and h5py for the tests that compare with them, in $place …"
    if python3 -m venv --clear "$place" 2>/dev/null && pip_install "$place" 'numpy>=1.26,<3' 'h5py>=3.10,<4'; then
        add_python_extras "$place"
        TREADLE_PYTHON=$place/bin/python
    elif install_packages python3-numpy python3-h5py && /usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null; then
        TREADLE_PYTHON=/usr/bin/python3
    else
        rm -rf "$place"
    fi
}
