#!/bin/sh
# Install the Debian/Ubuntu packages of apt-packages.txt that are missing; without root, say what is missing.
list=$(sed 's/#.*//' "$(dirname "$0")/../r_scripts/apt-packages.txt" | tr -s ' \n' ' ')
command -v dpkg-query >/dev/null || { echo "not a Debian or Ubuntu system: install bedtools and R yourself"; exit 0; }
missing=""
# chromium-driver drives Chromium in the tests of the pages
for package in bedtools chromium chromium-driver $list; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "These tests will be skipped until you run: sudo apt-get install$missing"
  exit 0
fi
apt-get update -qq || exit 0
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
  for package in $missing; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
      echo "$package could not be installed: the tests that need it will be skipped"
  done
