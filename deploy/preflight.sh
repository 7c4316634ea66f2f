#!/bin/sh
# Checks what Headwater needs and cannot fetch itself, and says how to get all that is missing.
# preflight.sh [python] [java] [chromium]: the first two by default. Chromium is for tests, and is installed
# where that is possible.
set -u
failed=0

missing() { # what, Debian's command, macOS's command
  printf 'headwater needs %s.\n  Debian, Ubuntu: %s\n  macOS:          %s\n  elsewhere:      your package manager, or its vendor\n' "$1" "$2" "$3" >&2
  failed=1
}

check_python() {
  python=${PYTHON:-python3}
  if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
    found=$("$python" --version 2>/dev/null || echo none)
    missing "Python 3.11, 3.12 or 3.13 ($python is: $found; name another with PYTHON=...)" \
      'apt-get install python3 python3-venv' 'brew install python@3.12'
  fi
}

check_java() {
  if [ -n "${JAVA_HOME:-}" ]; then java=$JAVA_HOME/bin/java; else java=java; fi
  banner=$("$java" -version 2>&1 | head -n 1)
  version=$(printf '%s' "$banner" | sed -n 's/.*version "\([0-9][0-9]*\).*/\1/p')
  if [ -z "$version" ] || [ "$version" -lt 17 ]; then
    [ -n "$version" ] || banner=none
    missing "Java 17 or newer (found: $banner)" \
      'apt-get install openjdk-17-jre-headless' 'brew install openjdk@17'
  fi
}

check_chromium() {
  # Only once the rest is there: nothing is installed for a run that cannot be.
  [ "$failed" = 0 ] && install=--install || install=
  "${0%/*}/chromium.sh" $install >/dev/null ||
    missing 'Chromium or Google Chrome for its tests of the UI' \
      'apt-get install chromium' 'brew install --cask chromium'
}

for part in ${*:-python java}; do "check_$part"; done
exit "$failed"
