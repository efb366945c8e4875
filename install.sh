#!/bin/sh
# Installs Swarm from this checkout into an environment of its own. `./install.sh --help` says what it does.
# Plain POSIX sh: it has to run under macOS' bash 3.2 as well as under Debian's dash.
set -eu

usage() {
  cat <<'TEXT'
Usage: ./install.sh [option]

  (no option)         install or update Swarm for this user, make it known to
                      OpenClaw, and say with `swarm diagnose` how it stands
  --demo              the same, with `swarm demo` at the end
  --uninstall         remove what this script added; your state, configuration
                      and keys stay
  --uninstall --purge remove these, too, without a question
  --test [arguments]  make .venv in this checkout and run the tests;
                      the arguments go to pytest: ./install.sh --test -k budget
  --lint              make .venv in this checkout and run ruff and pyright
  --help              show this text

  --dry-run           with the first four: say what would be done, change nothing
  --prefix DIR        with the first four: DIR/bin and DIR/share, instead of
                      ~/.local/bin and ~/.local/share

Swarm goes into ${XDG_DATA_HOME:-~/.local/share}/clawswarm and the command is
linked as ~/.local/bin/swarm. Where OpenClaw (formerly Clawdbot) is, its skill
goes into ~/.openclaw/skills/swarm, and the MCP server is registered there.
No sudo is needed, no configuration of Swarm is written, no shell file is
changed. A second run without network works with the wheels of the first.

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
fresh=

release() {
  if [ -n "$lock" ]; then rm -rf "$lock"; fi
  lock=
  if [ -n "$fresh" ]; then rm -rf "$fresh"; fi
  fresh=
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

no_network() {
  logged 'name resolution|getaddrinfo|servname|unreachable|timed? ?out|newconnection|proxyerror|refused' ||
    logged 'from versions: none'
}

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
    elif no_network; then
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

# $1, or else $2; with ~ read as the user's home.
place_of() {
  case $1 in
    '') printf '%s' "$2" ;;
    \~) printf '%s' "$HOME" ;;
    \~/*) printf '%s' "$HOME/${1#??}" ;;
    /*) printf '%s' "$1" ;;
    *) printf '%s' "$PWD/$1" ;;
  esac
}

user_paths() {
  if [ -z "${HOME:-}" ]; then fail 'HOME is not set, so there is no place to install to.'; fi
  HOME=${HOME%/}
  settings=$HOME/.config/clawdbot
  memory=$(place_of "${SWARM_MEMORY_DIR:-}" "$HOME/clawd/memory")
  alerts=$(place_of "${SWARM_ALERTS_DIR:-}" "$HOME/clawd/alerts")
  case ${XDG_DATA_HOME:-} in
    /*) data=${XDG_DATA_HOME%/}/clawswarm ;;
    *) data=$HOME/.local/share/clawswarm ;;
  esac
  bin=$HOME/.local/bin
  if [ -n "$prefix" ]; then
    prefix=$(place_of "${prefix%/}" /)
    data=$prefix/share/clawswarm
    bin=$prefix/bin
  fi
  venv=$data/venv
  wheels=$data/wheels
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

builders_code='
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    print(*tomllib.load(file)["build-system"]["requires"], sep="\n")
'

# Brings the wheels of everything that Swarm needs, and of what builds it, into a folder of their own, so that
# the next install does without a network. Sets `from` to the folder to install from.
gather_wheels() {
  from=$wheels.new
  rm -rf "$from"
  old_ifs=$IFS
  IFS='
'
  set -f
  # shellcheck disable=SC2046 # one argument a line
  set -- $("$venv/bin/python" -I -c "$builders_code" "$repo/pyproject.toml" </dev/null)
  set +f
  IFS=$old_ifs
  if (cd "$repo" && quietly "$venv/bin/python" -I -m pip wheel --quiet --no-input --disable-pip-version-check \
    --wheel-dir "$from" . "$@"); then
    return
  fi
  rm -rf "$from"
  if ! [ -d "$wheels" ] || ! no_network; then return 1; fi
  from=$wheels
  say 'Package: no network; installing from the wheels of the install before'
}

keep_wheels() {
  if [ "$from" = "$wheels" ]; then return; fi
  rm -rf "$wheels" "$from"/clawswarm-*.whl
  mv "$from" "$wheels" || fail "Cannot write to $data; is the disk full?"
}

install_package() {
  ready_env "$venv" ours
  before=
  if [ -f "$venv/swarm-stamp.user" ]; then before=$(cat "$venv/swarm-stamp.user"); fi
  rm -f "$venv/swarm-stamp.user"
  say 'Package: installing Swarm and what it needs (this can take a minute)'
  stamp=$(user_stamp) || fail "Cannot read the sources in $repo."
  { gather_wheels && (cd "$repo" && pip_install "$venv" --no-index --find-links "$from" .); } || {
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
  keep_wheels
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

# Says how to get the command onto the PATH; the shell's files are the user's. Sets `call` to what starts Swarm.
path_advice() {
  call=$link
  case $call in *[!A-Za-z0-9/._-]*) call=$(quoted "$link") ;; esac
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
  folder='$HOME/.local/bin'
  if [ "$bin" != "$HOME/.local/bin" ]; then folder=$bin; fi
  line="export PATH=\"$folder:\$PATH\""
  shell=${SHELL:-} # not set in a container or under cron
  case ${shell##*/} in
    zsh) file=${ZDOTDIR:-$HOME}/.zshrc ;;
    bash)
      file=$HOME/.bashrc
      if [ "$(uname -s)" = Darwin ]; then file=$HOME/.bash_profile; fi
      ;;
    fish)
      file=${XDG_CONFIG_HOME:-$HOME/.config}/fish/config.fish
      line="fish_add_path \"$folder\""
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
  if [ "$dry" = yes ]; then
    would_install
  elif ! user_is_current; then
    # Nothing is written before there is a Python to build with.
    if ! env_works "$venv"; then find_python; fi
    mkdir -p "$data" || fail "Cannot make $data."
    take_lock "$data/install.lock"
    if ! user_is_current; then install_package; else say "Package: the other install made it, $swarm_version"; fi
    release
  else
    say_current
  fi
  if [ "$dry" = no ]; then make_link; fi
  say 'Configuration: none is written, yours is left as it is'
  path_advice
  register_everywhere
  place_skills
  other_clients
}

say_current() {
  say "Python: $env_version ($venv/bin/python)"
  say "Virtual environment: $venv is already there"
  say "Package: already up to date, $swarm_version"
}

# The same as installing, in words.
would_install() {
  say 'Dry run: nothing is changed'
  if user_is_current; then
    say_current
  else
    if ! env_works "$venv"; then
      find_python
      say "Python: $python_version ($python)"
      say "Virtual environment: would be made, $venv"
    else
      say "Virtual environment: $venv would be updated, or built again"
    fi
    say 'Package: Swarm and what it needs would be installed'
  fi
  if [ -L "$link" ]; then say "Command: $link is already there"; else say "Command: would be linked, $link"; fi
}

# Ends an installation: what works, and what is still to be done. A check that fails does not fail it.
finish() {
  if [ "$dry" = yes ]; then
    say 'Would run: swarm diagnose --no-call'
    return
  fi
  say 'Running: swarm diagnose --no-call'
  PYTHONDONTWRITEBYTECODE=1 "$venv/bin/swarm" diagnose --no-call </dev/null ||
    say "Swarm is installed all the same; what failed above names its fix."
  say "Done. To see it work: $call demo"
}

# --- The hosts: OpenClaw, and Clawdbot as it was called before ---------------------------------------------
# The server is registered with the host's own command, so that the host's file stays the host's. The skill is
# copied, so that the clone is not needed afterwards; the copy holds `.swarm-made` with its checksum.

real() { (cd -- "$1" && pwd -P); }

# Sets `new` and `old` to where the hosts keep their files.
host_folders() {
  new=$(place_of "${OPENCLAW_STATE_DIR:-}" "$(place_of "${OPENCLAW_HOME:-}" "$HOME")/.openclaw")
  old=$(place_of "${CLAWDBOT_STATE_DIR:-}" "$HOME/.clawdbot")
}

has() { command -v "$1" >/dev/null 2>&1; }

# $1 as one word of a shell, and as the inside of a JSON string.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }
json() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; }

indented() { printf '%s\n' "$1" | tail -n 6 | sed 's/^/    /'; }

titled() {
  title=OpenClaw
  if [ "$1" = clawdbot ]; then title=Clawdbot; fi
}

# What host $1 says about the server `swarm`; fails where it has none. Sets `ours` to whether it is this one.
registered() {
  shown=$("$1" mcp show swarm --json </dev/null 2>/dev/null) || return 1
  ours=no
  case $shown in
    *'"command": "'"$(json "$link")"'"'* | *'"command":"'"$(json "$link")"'"'*) ours=yes ;;
  esac
}

add_by_hand() { say "    $1 mcp add swarm --command $(quoted "$link") --arg mcp --parallel"; }

register_everywhere() {
  host_folders
  for host in openclaw clawdbot; do
    if has "$host"; then register "$host"; fi
  done
  if [ -d "$new" ] && ! has openclaw && ! has clawdbot; then
    say 'OpenClaw: its command is not on the PATH. To register the MCP server where it is:'
    add_by_hand openclaw
  fi
}

register() {
  titled "$1"
  if [ "$dry" = yes ]; then # even a look makes the host tidy up its own folder
    say "$title: would register the MCP server, unless it is registered:"
    add_by_hand "$1"
  elif registered "$1"; then
    if [ "$ours" = yes ]; then
      say "$title: the MCP server is already registered"
    else
      say "$title: an MCP server swarm with another command is registered, and left as it is." \
        "To replace it: $1 mcp unset swarm, then run this again"
    fi
  elif answer=$("$1" mcp add swarm --command "$link" --arg mcp --parallel </dev/null 2>&1); then
    say "$title: registered the MCP server ($1 mcp add swarm)"
  elif [ "$1" = clawdbot ]; then
    say 'Clawdbot: it takes no MCP server; its skill uses the command'
  elif registered "$1" && [ "$ours" = yes ]; then # by another install, at the same time
    say "$title: the MCP server is already registered"
  else
    troubled=yes
    say "$title: the MCP server could not be registered. It says:"
    indented "$answer"
    say 'Once that is solved, run this again, or register it by hand:'
    add_by_hand "$1"
  fi
}

place_skills() {
  host_folders
  nobody=yes
  # An OpenClaw that finds only ~/.clawdbot moves it to ~/.openclaw, as long as nothing is there.
  if [ -d "$new" ] || { has openclaw && [ ! -d "$old" ]; }; then
    nobody=no
    place_skill "$new/skills"
  fi
  if [ -d "$old" ] && { [ "$nobody" = yes ] || has clawdbot; } &&
    ! { [ -d "$new" ] && [ "$(real "$old")" = "$(real "$new")" ]; }; then
    nobody=no
    place_skill "$old/skills"
  fi
  if [ "$nobody" = yes ]; then say 'OpenClaw: not found. Once it is here, run this again'; fi
}

# A checksum over all files of the skill in $1.
skill_sum() {
  (cd -- "$1" && find . -type f ! -name .swarm-made ! -name .DS_Store -exec cksum {} + | LC_ALL=C sort | cksum)
}

# Whether the skill in $1 is the copy that this script made, and nobody changed it since.
untouched() { [ -f "$1/.swarm-made" ] && [ "$(cat "$1/.swarm-made")" = "$(skill_sum "$1")" ]; }

# Copies the skill into the folder $1 of skills, where it is not there yet.
place_skill() {
  skill=$1/swarm
  if [ -d "$1" ]; then
    case $repo in
      "$(real "$1")"/*)
        say "Skill: this clone is in $1 already"
        return
        ;;
    esac
  fi
  how=copied
  if [ -L "$skill" ]; then
    say "Skill: $skill is a link to $(readlink "$skill"), and left as it is"
    return
  elif [ -e "$skill" ] && [ ! -f "$skill/.swarm-made" ]; then
    say "Skill: $skill was not made by this script, and is left as it is"
    return
  elif [ -e "$skill" ]; then
    if [ "$(skill_sum "$skill")" = "$(skill_sum "$repo/skills/swarm")" ]; then
      say "Skill: $skill is already there"
      return
    elif ! untouched "$skill"; then
      say "Skill: $skill was changed by hand, and is left as it is. For the new one, delete it and run this again"
      return
    fi
    how=updated
  fi
  if [ "$dry" = yes ]; then
    say "Skill: would be $how, $skill"
  elif copy_skill "$1"; then
    say "Skill: $how, $skill"
  else
    troubled=yes
    say "Skill: $skill cannot be written. Is the disk full, or does the folder belong to another user?"
  fi
}

copy_skill() {
  fresh=$1/.swarm.$$ # hosts look into no hidden folder
  mkdir -p "$1" && cp -R "$repo/skills/swarm" "$fresh" && skill_sum "$fresh" >"$fresh/.swarm-made" &&
    rm -rf "$skill" && mv "$fresh" "$skill"
}

# How other clients start the server.
other_clients() {
  path=$(json "$link")
  cat <<TEXT
Other MCP clients take this in their settings:
  Claude Code (~/.claude.json), Cursor (~/.cursor/mcp.json), Gemini CLI (~/.gemini/settings.json):
    {"mcpServers": {"swarm": {"command": "$path", "args": ["mcp"]}}}
  VS Code (mcp.json):
    {"servers": {"swarm": {"type": "stdio", "command": "$path", "args": ["mcp"]}}}
  Codex (~/.codex/config.toml):
    [mcp_servers.swarm]
    command = "$path"
    args = ["mcp"]
TEXT
}

# --- Removing it ------------------------------------------------------------------------------------------

uninstall_for_user() {
  user_paths
  if [ "$dry" = yes ]; then say 'Dry run: nothing is changed'; fi
  if [ -d "$data" ] || [ -L "$link" ]; then
    say "Removing Swarm from $data"
  else
    say "There is no Swarm in $data"
  fi
  end_daemon
  for host in openclaw clawdbot; do
    if has "$host"; then unregister "$host"; fi
  done
  host_folders
  drop_skill "$new/skills"
  drop_skill "$old/skills"
  drop_link
  drop_data
  if [ "$purge" = yes ]; then
    purge_all
  else
    say "Left: your configuration and keys ($settings), the state and the team's files ($memory, $alerts)"
    say 'To remove them, too: ./install.sh --uninstall --purge'
  fi
  say 'Done.'
}

# Says what is removed, or would be; fails in a dry run, so that nothing is.
removing() {
  if [ "$dry" = yes ]; then
    say "Would remove: $1"
    return 1
  fi
  say "Removed: $1"
}

# A file or an empty folder that may be there.
drop_file() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    if removing "$1"; then rm -f "$1"; fi
  fi
}

drop_empty() {
  if [ "$dry" = no ] && [ -d "$1" ] && rmdir "$1" 2>/dev/null; then say "Removed: $1 (empty)"; fi
}

# A service that starts this installation, and a daemon that may run.
end_daemon() {
  if ! [ -x "$venv/bin/swarm" ] || ! command_works; then return; fi
  unit=$("$venv/bin/swarm" service status --json </dev/null 2>/dev/null |
    sed -n 's/^ *"path": "\(.*\)",*$/\1/p') || :
  if [ -n "$unit" ] && [ -f "$unit" ] && grep -qF -e "$venv/bin/" -e "$link" "$unit"; then
    if [ "$dry" = yes ]; then
      say "Service: would be removed, $unit"
    else
      say "Service: $("$venv/bin/swarm" service uninstall </dev/null 2>&1 || :)"
    fi
  fi
  if [ "$dry" = yes ]; then
    say 'Daemon: would be stopped, where one runs'
  elif answer=$("$venv/bin/swarm" stop </dev/null 2>&1); then
    say "Daemon: $answer"
  else
    fail 'The daemon could not be stopped, so nothing was removed. It says:' "$answer"
  fi
}

unregister() {
  titled "$1"
  if [ "$dry" = yes ]; then
    say "$title: would remove the MCP server, where it is registered with $link"
  elif ! registered "$1"; then
    say "$title: no MCP server swarm is registered"
  elif [ "$ours" = no ]; then
    say "$title: the MCP server swarm has another command, and is left as it is"
  elif answer=$("$1" mcp unset swarm </dev/null 2>&1); then
    say "$title: removed the MCP server ($1 mcp unset swarm)"
  else
    troubled=yes
    say "$title: the MCP server could not be removed. It says:"
    indented "$answer"
  fi
}

drop_skill() {
  skill=$1/swarm
  if [ -L "$skill" ] || [ ! -d "$skill" ]; then return; fi
  if untouched "$skill"; then
    if removing "$skill"; then rm -rf "$skill"; fi
  elif [ "$(real "$skill")" = "$repo" ]; then
    say "Skill: $skill is this clone, and is left as it is"
  else
    say "Skill: $skill was not made by this script, or was changed by hand, and is left as it is"
  fi
}

drop_link() {
  if [ -L "$link" ] && [ "$(readlink "$link")" = "$venv/bin/swarm" ]; then
    drop_file "$link"
  elif [ -e "$link" ] || [ -L "$link" ]; then
    say "Command: $link was not made by this script, and is left as it is"
  fi
}

# The virtual environment and the wheels, unless they are somebody else's.
drop_data() {
  if [ ! -d "$data" ]; then return; fi
  if [ "$dry" = no ]; then take_lock "$data/install.lock"; fi
  if [ -e "$venv/swarm-made" ] || [ -e "$venv/swarm-unfinished" ]; then
    if removing "$venv"; then rm -rf "$venv" || fail "Cannot delete $venv; does it belong to another user?"; fi
  elif [ -e "$venv" ]; then
    say "$venv was not made by this script, and is left as it is"
  fi
  for each in "$wheels" "$wheels.new"; do
    if [ -d "$each" ] && removing "$each"; then rm -rf "$each"; fi
  done
  release
  drop_empty "$data"
}

# The user's own: only files that are Swarm's by their name, since others live in the same folders.
purge_all() {
  for name in gemini groq openai anthropic ollama openai-compatible brave; do
    drop_file "$settings/$name-key.txt"
  done
  for name in node-scaling.yaml swarm-token swarm-webhook-secret.txt; do drop_file "$settings/$name"; done
  if [ -n "${SWARM_CONFIG:-}" ]; then say "SWARM_CONFIG names a file of yours, which is left: $SWARM_CONFIG"; fi
  for name in team-state.md pipeline-state.md emergency.md decisions.md .emergency.md .publish.lock \
    .courier.lock daemon.lock daemon.starting; do
    drop_file "$memory/$name"
  done
  for each in "$memory"/swarm.db* "$memory"/logs/daemon.* "$memory"/checkpoints/run-*.md \
    "$memory"/emergencies/[0-9]*T[0-9]*Z-*.md "$alerts"/ALERT-*.md "$alerts/.alerts.lock"; do
    drop_file "$each"
  done
  for each in logs checkpoints emergencies; do drop_empty "$memory/$each"; done
  for each in "$memory" "$alerts" "$HOME/clawd" "$settings"; do drop_empty "$each"; done
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

mode=
dry=no
purge=no
prefix=
others= # the last option that --test and --lint do not take
troubled=no
while [ "$#" -gt 0 ]; do
  case $1 in
    --demo | --uninstall | --test | --lint | --help | -h)
      if [ -n "$mode" ]; then misuse "$mode and $1 do not go together"; fi
      mode=$1
      ;;
    --dry-run)
      dry=yes
      others=$1
      ;;
    --purge) purge=yes ;;
    --prefix | --prefix=*)
      others=--prefix
      case $1 in
        --prefix=*) prefix=${1#--prefix=} ;;
        *)
          if [ "$#" -gt 1 ]; then shift; else set -- ''; fi
          prefix=$1
          ;;
      esac
      if [ -z "$prefix" ]; then misuse '--prefix needs a folder'; fi
      ;;
    *) misuse "unknown option: $1" ;;
  esac
  shift
  if [ "$mode" = --test ]; then break; fi # the rest is pytest's
done
if [ "$purge" = yes ] && [ "$mode" != --uninstall ]; then misuse '--purge goes with --uninstall'; fi
case $mode in
  --test | --lint) if [ -n "$others" ]; then misuse "$mode and $others do not go together"; fi ;;
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
  --uninstall) uninstall_for_user ;;
  --demo)
    install_for_user
    if [ "$dry" = yes ]; then
      say 'Would run: swarm demo'
    else
      say 'Running: swarm demo'
      exec "$venv/bin/swarm" demo
    fi
    ;;
  *)
    install_for_user
    finish
    ;;
esac
if [ "$troubled" = yes ]; then exit 1; fi
