# A copy of the tree to mutate, sourced by the scripts beside it. Nothing that is
# done to it touches the tree itself, committed or not.

root=$(cd "$here/../.." && pwd)
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=1
# What is built here is thrown away: no debug information to write and to link.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0

die() {
    echo "$*" >&2
    exit 2
}

# What git knows of or would add, as it lies there, in a repository of its own.
# Files that are as in the last run are left alone, so that they are not built
# again; what a run was stopped at is overwritten.
copy_tree() { # target directory
    mkdir -p "$1/mutations/tree"
    work=$(cd "$1/mutations" && pwd)
    tree=$work/tree
    exec 9>"$work/lock"
    flock -n 9 || die "another run is at work in $work"
    rm -rf "$work/next"
    mkdir "$work/next"
    git -C "$root" ls-files -z --cached --others --exclude-standard --deduplicate |
        (cd "$root" && while IFS= read -r -d '' file; do
            [ ! -e "$file" ] || printf '%s\0' "$file"
        done) |
        tar -C "$root" -c --null --no-recursion -T - |
        tar -C "$work/next" -xm
    git -C "$tree" init -q
    git -C "$tree" --work-tree="$work/next" add -A
    git -C "$tree" -c user.name=mutations -c user.email=mutations@localhost \
        commit -q --allow-empty -m 'As it is'
    git -C "$tree" update-index -q --refresh || true
    git -C "$tree" reset -q --hard
    git -C "$tree" clean -qfd
    rm -rf "$work/next"
}

seconds() { date +%s; }

took() { # since when
    local took=$(($(seconds) - $1))
    printf '%d:%02d' $((took / 60)) $((took % 60))
}
