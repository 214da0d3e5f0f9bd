//! The unit under a real systemd: one of its own, on a copy of this machine that
//! is thrown away. What the unit's header says is done to the letter, and the unit
//! outlives what it promises to outlive.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use countersign_tests::{missing, say};
use tempfile::TempDir;

const UNIT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/systemd/countersign.service"
);
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
const BOOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/systemd/boot.sh");

/// Before what a check found.
const MARK: &str = "=== ";

#[test]
fn the_unit_does_what_its_header_says_under_systemd() {
    let Some(found) = run(&script()) else {
        return;
    };
    let value = |name: &str| {
        let line = found.lines().find_map(|line| {
            let found = line.strip_prefix(MARK)?;
            found.strip_prefix(name)?.strip_prefix(": ")
        });
        line.unwrap_or_else(|| panic!("{name} in {found}"))
    };
    for (name, expected) in [
        ("after the header", "active"),
        ("the key", "csk_"),
        ("the log", "{\"timestamp\""),
        ("the directory", "700"),
        ("the database", "600"),
        ("after kill -9", "active, restarts 1"),
        ("after a restart", "active, success"),
        ("with a wrong setting", "failed, restarts 0"),
        ("once the database is there", "active"),
        ("after migrate by systemd-run", "active"),
        ("with credentials", "active"),
    ] {
        let found = value(name);
        say!("under systemd, {name}: {found}");
        assert!(found.starts_with(expected), "{name}: {found}");
    }
    let restarts: u32 = value("restarts without a database")
        .parse()
        .expect("a number");
    say!("under systemd, without a database: {restarts} restarts");
    // Where it gives up by default: 5 in 10 seconds.
    assert!(restarts > 7, "it is given up after {restarts}");
}

/// What a script says that such a systemd runs as root, in the directory of a
/// release. `None` if there can be none here.
fn run(script: &str) -> Option<String> {
    for program in ["/lib/systemd/systemd", "/usr/bin/dbus-daemon"] {
        if !Path::new(program).exists() {
            missing(&format!("{program} is not installed"));
            return None;
        }
    }
    let can = "mount -t tmpfs none /mnt && mkdir /mnt/a /mnt/b /mnt/c && \
               mount -t overlay none -o lowerdir=/,upperdir=/mnt/a,workdir=/mnt/b /mnt/c";
    let apart = [
        "--mount", "--pid", "--net", "--cgroup", "--fork", "sh", "-c", can,
    ];
    let apart = Command::new("unshare").args(apart).output();
    if !apart.is_ok_and(|apart| apart.status.success()) {
        say!("skipped: no systemd of its own can be started here (unshare, overlay, as root)");
        return None;
    }
    let directory = TempDir::new().expect("a directory");
    let release = directory.path().join("release");
    fs::create_dir(&release).expect("made");
    let program = env!("CARGO_BIN_EXE_countersign-under-test");
    fs::copy(program, release.join("countersign")).expect("the program is copied");
    let copied = Command::new("cp")
        .args(["-r", DEPLOY])
        .arg(release.join("deploy"))
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    fs::write(directory.path().join("script"), script).expect("written");
    let booted = Command::new("bash")
        .arg(BOOT)
        .arg(directory.path())
        .output();
    let output = fs::read_to_string(directory.path().join("output")).unwrap_or_default();
    let booted = booted.expect("a shell");
    let told = String::from_utf8_lossy(&booted.stderr);
    let code = fs::read_to_string(directory.path().join("code")).unwrap_or_default();
    assert_eq!(code.trim(), "0", "{output}\n{told}");
    Some(output)
}

/// The commands of the header, and what is looked at after them.
fn script() -> String {
    let unit = fs::read_to_string(UNIT).expect("the unit is there");
    let blocks = blocks(&unit);
    let [bootstrap, migrate, credentials] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let mut script = String::from(
        "set -eux\ntrap 'systemctl status countersign; journalctl --no-pager -n 40' ERR\n",
    );
    let (last, before) = bootstrap.split_last().expect("commands");
    for command in before {
        writeln!(script, "{command}").expect("a text takes everything");
    }
    writeln!(script, "key=$({last})").expect("a text takes everything");
    script.push_str(AFTER_THE_HEADER);
    script.push_str("systemctl stop countersign\n");
    writeln!(script, "{}", migrate.join("\n")).expect("a text takes everything");
    script.push_str(AFTER_MIGRATE);
    writeln!(script, "{}\nEND", credentials.join("\n")).expect("a text takes everything");
    script.push_str(WITH_CREDENTIALS);
    script
}

/// What is indented in the header of the unit, by block.
fn blocks(unit: &str) -> Vec<Vec<String>> {
    let lines = unit.lines().map_while(|line| line.strip_prefix('#'));
    let mut blocks: Vec<Vec<String>> = vec![Vec::new()];
    for line in lines {
        match line.strip_prefix("   ") {
            Some(command) => blocks.last_mut().expect("one").push(command.to_owned()),
            None if blocks.last().is_some_and(|block| !block.is_empty()) => {
                blocks.push(Vec::new());
            }
            None => {}
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

const AFTER_THE_HEADER: &str = r#"
found() { set +x; echo; echo "=== $1: $2"; set -x; }
show() { systemctl show --value --property="$1" countersign; }
state() { show ActiveState; }
until_serving() { for i in $(seq 60); do countersign healthcheck && return; sleep 0.5; done; }
found "after the header" "$(state)"
found "the key" "$key"
found "the log" "$(journalctl --unit=countersign --output=cat | grep '"listening"')"
found "the directory" "$(stat --dereference --format=%a /var/lib/countersign)"
found "the database" "$(stat --format=%a /var/lib/countersign/countersign.db)"

kill -9 "$(show MainPID)"
until_serving
found "after kill -9" "$(state), restarts $(show NRestarts)"
systemctl restart countersign
until_serving
found "after a restart" "$(state), $(show Result)"

config=/etc/countersign/countersign.toml
cp $config /root/good.toml
printf '[serverr]\n' >>$config
systemctl restart countersign || true
until systemctl is-failed --quiet countersign; do sleep 0.5; done
found "with a wrong setting" "$(state), restarts $(show NRestarts)"
cp /root/good.toml $config

mkdir -p /run/systemd/system/countersign.service.d
printf '[Service]\nEnvironment=COUNTERSIGN__DATABASE__URL=postgres://root@127.0.0.1:1/none\n' \
    >/run/systemd/system/countersign.service.d/none.conf
systemctl daemon-reload
systemctl reset-failed countersign
systemctl --no-block start countersign
until [ "$(show NRestarts)" -gt 7 ] || systemctl is-failed countersign; do sleep 0.5; done
found "restarts without a database" "$(show NRestarts)"
rm /run/systemd/system/countersign.service.d/none.conf
systemctl daemon-reload
until_serving
found "once the database is there" "$(state)"
"#;

const AFTER_MIGRATE: &str = r#"
systemctl start countersign
until_serving
found "after migrate by systemd-run" "$(state)"
systemctl stop countersign
cp /var/lib/countersign/master.key /etc/countersign/master.key
printf 'sqlite:///var/lib/countersign/countersign.db?mode=rwc' >/etc/countersign/database-url
chmod 600 /etc/countersign/master.key /etc/countersign/database-url
mkdir -p /etc/systemd/system/countersign.service.d
cat >/etc/systemd/system/countersign.service.d/override.conf <<'END'
"#;

const WITH_CREDENTIALS: &str = r#"
systemctl daemon-reload
systemctl start countersign
until_serving
found "with credentials" "$(state)"
"#;
