#!/bin/sh
# Installs Swarm from this checkout into an environment of its own. `./install.sh --help` says what it does.
# Plain POSIX sh: it has to run under macOS' bash 3.2 as well as under Debian's dash.
set -eu

usage() {
  cat <<'TEXT'
Usage: ./install.sh [option]

  (no option)         install or update Swarm for this user
  --demo              the same, then run `swarm demo`
  --test [arguments]  make .venv in this checkout and run the tests;
                      the arguments go to pytest: ./install.sh --test -k budget
  --lint              make .venv in this checkout and run ruff and pyright
  --help              show this text

Swarm goes into ${XDG_DATA_HOME:-~/.local/share}/clawswarm/venv and the command
is linked as ~/.local/bin/swarm. To remove Swarm, delete these two.
No sudo is needed, no configuration is written, no shell file is changed.

Python 3.11 or newer is looked for on the PATH; SWARM_PYTHON=/path/to/python
names one.
TEXT
}

say() { printf '%s\n' "$*"; }

# Every argument is a line of the message.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

misuse() {
  printf '%s\n' "install.sh: $1" 'See ./install.sh --help' >&2
  exit 2
}

# --- One install at a time, and what is left behind at the end ---------------------------------------------

lock=

release() {
  if [ -n "$lock" ]; then rm -rf "$lock"; fi
  lock=
}

interrupted() {
  trap '' HUP INT TERM
  say 'Interrupted. Run the same command again: it repairs what is half done.' >&2
  exit "$1"
}

trap release EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# Sets `pid` to the process number in file $1; fails where there is no such process.
alive() {
  pid=
  { read -r pid <"$1"; } 2>/dev/null || :
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

# Takes the lock directory $1, waiting for another install SWARM_INSTALL_WAIT seconds at most. A holder that is
# gone (its shell and the pip it ran) is cleared away.
take_lock() {
  limit=${SWARM_INSTALL_WAIT:-600}
  waited=0
  unowned=0
  until mkdir "$1" 2>/dev/null; do
    if alive "$1/pid" || alive "$1/worker"; then
      if [ "$waited" -eq 0 ]; then say "Another install is running (process $pid); waiting for it to end."; fi
      unowned=0
    elif [ "$unowned" -lt 2 ]; then
      unowned=$((unowned + 1)) # it may be between making the directory and writing its number
    elif [ -d "$1" ] && mv "$1" "$1.$$" 2>/dev/null; then
      if alive "$1.$$/pid"; then # another install cleared it and took it in this very moment
        mv "$1.$$" "$1"
        continue
      fi
      rm -rf "$1.$$"
      say 'Cleared the lock of an install that did not end.'
      continue
    else
      fail "Cannot make $1." 'Is the disk full, or does this folder belong to another user?'
    fi
    if [ "$waited" -ge "$limit" ]; then
      fail "The other install has not ended after $limit seconds." \
        "If none is running, delete $1 and run this again."
    fi
    sleep 1
    waited=$((waited + 1))
  done
  lock=$1
  echo "$$" >"$lock/pid"
  log=$lock/log
}

# --- Running a step quietly -------------------------------------------------------------------------------

# Runs a command with its output in the log. Its process number is noted, so that it counts as a holder of the
# lock even where this shell was killed and it was not.
quietly() {
  # shellcheck disable=SC2016 # the inner shell expands these
  sh -c 'echo "$$" >"$0" && exec "$@"' "$lock/worker" "$@" >>"$log" 2>&1 </dev/null
}

logged() { grep -Eqi -e "$1" "$log"; }

# On a full disk the log may lack its own reason.
room() { printf '%8192s' '' 2>/dev/null >"$log.room"; }

# Says that step $1 failed, with the end of the log and what probably helps, and ends.
failed() {
  {
    say "Failed: $1. The last lines of the output:"
    tail -n 12 "$log" | sed 's/^/    /'
    if logged 'no space left|errno 28|disk quota' || ! room; then
      say 'Hint: the disk is full. Make room, then run this again.'
    elif logged 'ensurepip|no module named .?venv'; then
      say 'Hint: this Python cannot make virtual environments.' \
        'On Debian and Ubuntu: apt install python3-venv. Then run this again.'
    elif logged 'certificate.verify.failed|SSLError'; then
      say 'Hint: a certificate was not accepted. Behind a company proxy, set PIP_CERT to its certificate file.'
    elif logged 'name resolution|getaddrinfo|servname|unreachable|timed? ?out|newconnection|proxyerror|refused' ||
      logged 'from versions: none'; then
      say 'Hint: is there a network connection? pip could not reach the package index.' \
        'Run this again when there is one.'
    elif logged 'permission denied|errno 13'; then
      say 'Hint: a file belongs to another user. Was this once run with sudo? It never needs sudo.'
    fi
    kept=$(mktemp "${TMPDIR:-/tmp}/swarm-install.XXXXXX") && cp "$log" "$kept" && say "The whole output: $kept"
  } >&2
  exit 1
}

# --- Finding a Python -------------------------------------------------------------------------------------

python=
python_version=
tried=

# Runs candidate $1 (a pyenv shim may exist and yet not work). Sets `probed` to its version and `real` to the
# Python behind it, which outlives the environment that may be active; on a miss, `why`.
probe='
import importlib.util, os, sys

usable = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
state = "old" if sys.version_info < (3, 11) else "ok" if usable else "bare"
base = getattr(sys, "_base_executable", "")
print("%d.%d.%d" % sys.version_info[:3], state, base if os.path.isfile(base) else sys.executable)
'
works() {
  why='does not run, or is Python 2'
  answer=$("$1" -I -c "$probe" </dev/null 2>/dev/null) || return 1
  probed=${answer%% *}
  real=${answer#* * }
  case $answer in
    *' ok '*) why= ;;
    *' old '*) why="is Python $probed; 3.11 or newer is needed" ;;
    *' bare '*) why="is Python $probed without the venv module" ;;
  esac
  [ -z "$why" ]
}

miss() {
  tried="$tried
  $1 $why"
}

no_python() {
  case $tried in
    *'without the venv module'*)
      advice='On Debian and Ubuntu, the missing module comes with: apt install python3-venv'
      ;;
    *) advice='Debian and Ubuntu: apt install python3 python3-venv. macOS: brew install python' ;;
  esac
  fail "$1" "Tried:${tried:- nothing, there is no python command on the PATH}" "$advice" \
    'Or name another one: SWARM_PYTHON=/path/to/python3 ./install.sh'
}

# Sets `python` and `python_version`.
find_python() {
  if [ -n "$python" ]; then return; fi
  if [ -n "${SWARM_PYTHON:-}" ]; then
    python=$(command -v "$SWARM_PYTHON") || python=$SWARM_PYTHON
    works "$python" || {
      miss "$python"
      no_python 'SWARM_PYTHON names a Python that Swarm cannot use.'
    }
    python=$real
    python_version=$probed
    return
  fi
  for name in python3.13 python3.12 python3.11 python3 python python3.14 python3.15; do
    old_ifs=$IFS
    IFS=:
    set -f
    for folder in ${PATH:-}; do
      IFS=$old_ifs
      candidate=${folder:-.}/$name
      if [ ! -f "$candidate" ] || [ ! -x "$candidate" ]; then continue; fi
      if works "$candidate"; then
        set +f
        python=$real
        python_version=$probed
        return
      fi
      miss "$candidate"
    done
    IFS=$old_ifs
    set +f
  done
  no_python 'Swarm needs Python 3.11 or newer, and none was found.'
}

# --- An environment and its stamp -------------------------------------------------------------------------
# A finished environment holds the file `swarm-stamp.<part>`: a hash over what was installed, and the Python
# version. While anything is being changed it holds `swarm-unfinished` instead. One that this script made, and so
# may delete, holds `swarm-made`.

fingerprint_code='
import hashlib, os, sys

def files(top):
    if os.path.isfile(top):
        yield top
    for folder, _, names in os.walk(top):
        if os.path.basename(folder) != "__pycache__":
            yield from (os.path.join(folder, n) for n in names if n != ".DS_Store" and not n.endswith(".pyc"))

root, extra, *tops = sys.argv[1:]
total = hashlib.sha256(extra.encode(errors="surrogateescape"))
for top in tops:
    for path in sorted(files(os.path.join(root, top))):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).digest()
        total.update(os.path.relpath(path, root).encode(errors="surrogateescape") + b"\0" + content)
print(total.hexdigest(), "python-%d.%d.%d" % sys.version_info[:3])
'

# Prints the stamp for the environment $1 as it would be now: $2 is any text, the rest files and folders.
fingerprint() {
  env_python=$1/bin/python
  shift
  "$env_python" -I -B -c "$fingerprint_code" "$repo" "$@" </dev/null 2>/dev/null
}

# Sets `env_version`; fails where the environment's Python is gone or too old.
env_works() {
  [ -x "$1/bin/python" ] && works "$1/bin/python" && env_version=$probed
}

# Is part $2 of the environment $1 finished, and made from what is here now ($3)?
stamped() {
  [ ! -e "$1/swarm-unfinished" ] && [ -f "$1/swarm-stamp.$2" ] && [ "$(cat "$1/swarm-stamp.$2")" = "$3" ]
}

# Makes the environment $1 from nothing.
build_env() {
  find_python
  say "Python: $python_version ($python)"
  rm -rf "$1" || fail "Cannot delete $1; does it belong to another user?"
  mark_unfinished "$1"
  printf '' >"$1/swarm-made"
  quietly "$python" -I -m venv "$1" || failed 'making the virtual environment'
  say "Virtual environment: made $1"
}

# Keeps the environment $1 for a change, or rebuilds it where it is missing, half done, broken, or of another
# Python than SWARM_PYTHON names. $2 is "ours" where nobody else makes environments at that place.
ready_env() {
  foreign=no
  if [ -n "${SWARM_PYTHON:-}" ]; then find_python; fi
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    build_env "$1"
  elif [ -e "$1/swarm-unfinished" ]; then
    say 'Virtual environment: an earlier install did not end; building it again.'
    build_env "$1"
  elif [ "$2" != ours ] && [ ! -e "$1/swarm-made" ]; then
    if ! env_works "$1" || ! "$1/bin/python" -I -c 'import pip' 2>/dev/null; then
      fail "$1 was not made by install.sh and cannot be used (it needs Python 3.11 or newer, and pip)." \
        'Move it away or delete it, then run this again.'
    fi
    foreign=yes
    say "Python: $env_version ($1/bin/python)"
    say "Virtual environment: using $1, which was already there"
  elif ! env_works "$1" || [ "$broken" = yes ]; then
    say 'Virtual environment: it no longer works; building it again.'
    build_env "$1"
  elif [ -n "$python_version" ] && [ "$python_version" != "$env_version" ]; then
    say "Virtual environment: it has Python $env_version, SWARM_PYTHON is $python_version; building it again."
    build_env "$1"
  elif [ ! -e "$1/swarm-made" ]; then
    say 'Virtual environment: this script did not make it; building it again.'
    build_env "$1"
  else
    say "Python: $env_version ($1/bin/python)"
    say "Virtual environment: $1 is already there"
  fi
  # Somebody else's environment gets no mark: it is never to be deleted.
  if [ "$foreign" = no ]; then mark_unfinished "$1"; fi
}

mark_unfinished() {
  mkdir -p "$1" && printf '' >"$1/swarm-unfinished" && return
  fail "Cannot write to $1." 'Is the disk full, or does the folder belong to another user?'
}

# Notes that part $2 of the environment $1 is finished, with the stamp $3.
mark_finished() {
  printf '%s\n' "$3" >"$1/swarm-stamp.$2" && rm -f "$1/swarm-unfinished" && return
  fail "Cannot write to $1; is the disk full?"
}

# pip install, inside the environment $1.
pip_install() {
  pip_python=$1/bin/python
  shift
  quietly "$pip_python" -I -m pip install --quiet --no-input --disable-pip-version-check --no-user "$@"
}

# --- Installing for the user ------------------------------------------------------------------------------

user_paths() {
  if [ -z "${HOME:-}" ]; then fail 'HOME is not set, so there is no place to install to.'; fi
  HOME=${HOME%/}
  case ${XDG_DATA_HOME:-} in
    /*) data=${XDG_DATA_HOME%/}/clawswarm ;;
    *) data=$HOME/.local/share/clawswarm ;;
  esac
  venv=$data/venv
  bin=$HOME/.local/bin
  link=$bin/swarm
}

# Leaves a `swarm` alone that this script did not make. It looks before anything is installed.
check_link() {
  if [ -L "$link" ]; then
    if [ "$(readlink "$link")" = "$venv/bin/swarm" ]; then return; fi
    found="a link to $(readlink "$link")"
  elif [ -e "$link" ]; then
    found='a file of yours'
  else
    return 0
  fi
  fail "$link exists and was not made by this script: it is $found. Nothing was changed." \
    'To solve it, move it away and run this again:' "    mv '$link' '$link.old'"
}

# Does the installed command run? Sets `swarm_version`.
command_works() {
  swarm_version=$(PYTHONDONTWRITEBYTECODE=1 "$venv/bin/swarm" --version </dev/null 2>/dev/null) || return 1
}

user_stamp() { fingerprint "$venv" user-1 pyproject.toml README.md LICENSE skill mcp_server; }

# Sets `broken` where the stamp is right and the command does not run all the same.
user_is_current() {
  broken=no
  env_works "$venv" || return 1
  if [ -n "$python_version" ] && [ "$python_version" != "$env_version" ]; then return 1; fi
  stamp=$(user_stamp) && stamped "$venv" user "$stamp" || return 1
  if ! command_works; then
    broken=yes
    return 1
  fi
}

install_package() {
  ready_env "$venv" ours
  before=
  if [ -f "$venv/swarm-stamp.user" ]; then before=$(cat "$venv/swarm-stamp.user"); fi
  rm -f "$venv/swarm-stamp.user"
  say 'Package: installing Swarm and what it needs (this can take a minute)'
  stamp=$(user_stamp) || fail "Cannot read the sources in $repo."
  (cd "$repo" && pip_install "$venv" .) || {
    # pip puts back what was there when it fails by itself, so an earlier version usually still works.
    if [ -n "$before" ] && command_works && "$venv/bin/python" -I -m pip check >/dev/null 2>&1; then
      mark_finished "$venv" user "$before"
      say "The version that was installed before is still there: $swarm_version"
    fi
    failed 'installing the package'
  }
  command_works || {
    "$venv/bin/swarm" --version >>"$log" 2>&1 </dev/null || :
    failed 'starting the installed command (swarm --version)'
  }
  mark_finished "$venv" user "$stamp"
  say "Package: installed $swarm_version"
}

make_link() {
  if [ -L "$link" ]; then
    say "Command: $link is already there"
    return
  fi
  check_link
  if ! mkdir -p "$bin" || ! ln -s "$venv/bin/swarm" "$link"; then fail "Cannot make the link $link."; fi
  say "Command: linked $link"
}

# Says how to get ~/.local/bin onto the PATH; the shell's files are the user's. Sets `call` to what starts Swarm.
path_advice() {
  call=$link
  case ":${PATH:-}:" in
    *":$bin:"* | *":$bin/:"*)
      first=$(command -v swarm) || first=$link
      if [ "$first" = "$link" ] || [ "$first" = "$bin//swarm" ]; then
        say "PATH: $bin is on it, nothing to do"
        call=swarm
      else
        say "PATH: another swarm comes first, $first. This one is $link"
      fi
      return
      ;;
  esac
  # shellcheck disable=SC2016 # the user's shell expands these
  line='export PATH="$HOME/.local/bin:$PATH"'
  shell=${SHELL:-} # not set in a container or under cron
  case ${shell##*/} in
    zsh) file=${ZDOTDIR:-$HOME}/.zshrc ;;
    bash)
      file=$HOME/.bashrc
      if [ "$(uname -s)" = Darwin ]; then file=$HOME/.bash_profile; fi
      ;;
    fish)
      file=${XDG_CONFIG_HOME:-$HOME/.config}/fish/config.fish
      # shellcheck disable=SC2016
      line='fish_add_path "$HOME/.local/bin"'
      ;;
    *) file=$HOME/.profile ;;
  esac
  say "PATH: $bin is not on it. Add this line to $file and open a new terminal:"
  say "    $line"
}

install_for_user() {
  user_paths
  check_link
  say "Installing Swarm from $repo"
  if [ -n "${SWARM_PYTHON:-}" ]; then find_python; fi
  if ! user_is_current; then
    # Nothing is written before there is a Python to build with.
    if ! env_works "$venv"; then find_python; fi
    mkdir -p "$data" || fail "Cannot make $data."
    take_lock "$data/install.lock"
    if ! user_is_current; then install_package; else say "Package: the other install made it, $swarm_version"; fi
    release
  else
    say "Python: $env_version ($venv/bin/python)"
    say "Virtual environment: $venv is already there"
    say "Package: already up to date, $swarm_version"
  fi
  make_link
  say 'Configuration: none is written, yours is left as it is'
  path_advice
}

# --- The checkout's own environment -----------------------------------------------------------------------

dev_stamp() { fingerprint "$dev" "$1 $repo" pyproject.toml skill/clawswarm/version.py; }

# Is part $1 (test or lint) of the checkout's environment up to date? $2 is a module that has to be there.
dev_is_current() {
  env_works "$dev" || return 1
  if [ -n "$python_version" ] && [ "$python_version" != "$env_version" ]; then return 1; fi
  stamp=$(dev_stamp "$1") && stamped "$dev" "$1" "$stamp" || return 1
  "$dev/bin/python" -I -c "import $2" </dev/null 2>/dev/null || {
    broken=yes
    return 1
  }
}

# Brings part $1 up to date with pip's arguments after $2.
dev_part() {
  part=$1
  module=$2
  shift 2
  broken=no
  if dev_is_current "$part" "$module"; then
    say "Environment for $part: already up to date, $dev"
    return
  fi
  if ! env_works "$dev"; then find_python; fi
  take_lock "$repo/.venv.lock"
  if ! dev_is_current "$part" "$module"; then
    ready_env "$dev" theirs
    rm -f "$dev/swarm-stamp.$part"
    say "Environment for $part: installing (this can take a minute)"
    stamp=$(dev_stamp "$part") || fail "Cannot read the sources in $repo."
    # --group came with pip 25.1.
    "$dev/bin/python" -I -c 'import pip, sys
sys.exit([int(n) for n in pip.__version__.split(".")[:2] if n.isdigit()] < [25, 1])' ||
      pip_install "$dev" --upgrade pip || failed 'updating pip'
    (cd "$repo" && pip_install "$dev" "$@") || failed "installing what $part needs"
    mark_finished "$dev" "$part" "$stamp"
    say "Environment for $part: ready, $dev"
  fi
  release
}

run_tests() {
  dev_part test pytest -e . --group test
  say 'Running: python -m pytest'
  cd "$repo"
  if [ "$#" -eq 0 ]; then set -- -n auto --dist loadfile; fi # all of them: on every core
  exec "$dev/bin/python" -m pytest "$@"
}

run_lint() {
  dev_part test pytest -e . --group test
  dev_part lint ruff --group lint
  cd "$repo"
  trap - HUP INT TERM
  status=0
  say 'Running: ruff check .'
  "$dev/bin/ruff" check . || status=1
  say 'Running: ruff format --check .'
  "$dev/bin/ruff" format --check . || status=1
  say 'Running: pyright'
  PYRIGHT_PYTHON_IGNORE_WARNINGS=1 "$dev/bin/pyright" --pythonpath "$dev/bin/python" || status=1
  exit "$status"
}

# --- Main -------------------------------------------------------------------------------------------------

unset PYTHONPATH PYTHONHOME VIRTUAL_ENV __PYVENV_LAUNCHER__ CDPATH

mode=${1:-}
case $mode in
  '' | --demo | --lint | --help | -h)
    if [ "$#" -gt 1 ]; then misuse "$mode takes no further argument: $2"; fi
    ;;
  --test) shift ;;
  *) misuse "unknown option: $mode" ;;
esac

if [ "$mode" = --help ] || [ "$mode" = -h ]; then
  usage
  exit 0
fi

case $0 in
  */*) here=${0%/*} ;;
  *) here=. ;;
esac
repo=$(cd -- "${here:-/}" && pwd -P)
if [ ! -f "$repo/pyproject.toml" ] || [ ! -d "$repo/skill/clawswarm" ]; then
  fail "The sources of Swarm are not in $repo." 'Run install.sh from inside a clone of the repository.'
fi
dev=$repo/.venv

case $mode in
  --test) run_tests "$@" ;;
  --lint) run_lint ;;
  *)
    install_for_user
    if [ "$mode" = --demo ]; then
      say 'Running: swarm demo'
      exec "$venv/bin/swarm" demo
    fi
    say "Done. To see it work: $call demo"
    ;;
esac
