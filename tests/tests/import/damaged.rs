//! Files that are damaged, or none that could be imported.

use countersign_tests::{Backend, World, on_a_backend};

use super::{import, write_file};

const HASH: &str = "$2b$04$QpzoKk7Rykg4dMd.rgEcwe5Yv6/oJUVb195borQIkk3uZYUBsAc3i";

#[test]
fn damaged_lines_are_refused_and_all_others_imported() {
    on_a_backend(Backend::Sqlite, damaged_lines);
}

#[test]
fn what_is_no_file_of_users_is_refused_as_a_whole() {
    on_a_backend(Backend::Sqlite, unfit_files);
}

#[test]
fn nothing_of_a_user_is_on_the_terminal() {
    on_a_backend(Backend::Sqlite, nothing_is_shown);
}

async fn damaged_lines(backend: Backend) {
    let world = World::start(backend, 1).await;
    let mut csv = b"\xef\xbb\xbfexternal_id,email,name\r\n".to_vec();
    csv.extend(b"1,one@example.com,Mina\r\n");
    csv.extend(b"2,two@example.com,Mi\xffna\r\n");
    csv.extend(b"3,three@example.com\r\n");
    csv.extend(b"4,four@example.com,Mi\0na\r\n");
    csv.extend(b"5,five@example.com,\"Mi\"\"na\"\r\n\r\n");
    csv.extend(b"6,six@example.com,");
    csv.extend(vec![b'x'; 10 * 1024 * 1024]);
    csv.extend(b"\r\n7,seven@example.com,Mina\n8,eight@example.com,Mina");
    let csv = write_file(&world, "users.csv", csv);
    let done = import(&world, &csv, &[]).await;
    assert_eq!(
        (done.code, done.counts()),
        (1, [4, 0, 4]),
        "{}",
        done.stderr
    );
    let mut lines: Vec<_> = done.report.iter().map(|row| row["line"].as_u64()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [3, 4, 5, 8].map(Some));

    let mut jsonl = b"\xef\xbb\xbf{\"external_id\":\"a\",\"email\":\"a@example.com\"}\r\n".to_vec();
    jsonl.extend(b"{\"external_id\":\"b\",\"email\":\"b\xff@example.com\"}\n");
    jsonl.extend(b"[]\n");
    jsonl.extend(b"{\"external_id\":\"c\",\"e_mail\":\"c@example.com\"}\n");
    jsonl.extend(b"{\"external_id\":\"d\",\"email\":\"d@example.com\",\"emails\":[]}\n");
    jsonl.extend(b"{\"external_id\":\"e\\u0000\",\"email\":\"e@example.com\"}\n");
    jsonl.extend(b"{\"external_id\":\"f\",\"email\":\"");
    jsonl.extend(vec![b'x'; 10 * 1024 * 1024]);
    jsonl.extend(b"\n{\"external_id\":\"g\",\"email\":\"g@example.com\"}");
    let jsonl = write_file(&world, "users.jsonl", jsonl);
    let done = import(&world, &jsonl, &[]).await;
    assert_eq!(
        (done.code, done.counts()),
        (1, [2, 0, 6]),
        "{}",
        done.stderr
    );
    let mut lines: Vec<_> = done.report.iter().map(|row| row["line"].as_u64()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7].map(Some));
    println!("damaged lines refused 10 of 10, others imported 6 of 6");
}

async fn unfit_files(backend: Backend) {
    let world = World::start(backend, 1).await;
    for (name, content, code, said) in [
        ("empty.csv", "", 64, "header"),
        ("no-id.csv", "email\na@example.com\n", 64, "external_id"),
        (
            "typing.csv",
            "external_id,e_mail\n1,a@example.com\n",
            64,
            "column 2",
        ),
        ("twice.csv", "external_id,email,emails\n", 64, "twice"),
        ("nobody.csv", "external_id,email\n", 1, "no user"),
        ("empty.jsonl", "", 1, "no user"),
        ("users.txt", "external_id\n", 64, "--format"),
    ] {
        let file = write_file(&world, name, content);
        let done = import(&world, &file, &[]).await;
        assert_eq!(done.code, code, "{name}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{name}: {}", done.stderr);
    }
    let absent = import(&world, "absent.csv", &[]).await;
    assert_eq!(absent.code, 64, "{}", absent.stderr);
    let unset = import(&world, "database", &[]).await;
    assert_eq!(unset.code, 78, "{}", unset.stderr);
    assert_eq!(world.rows("users").await, 0);
}

async fn nothing_is_shown(backend: Backend) {
    let world = World::start(backend, 1).await;
    let csv = format!(
        "external_id,email,password_hash,state\n1,secret-one@example.com,{HASH},\n\
         2,secret-two@example.com,hunter2,\n3,secret-three,{HASH},\n\
         4,secret-four@example.com,{HASH},asleep\n5,secret-one@example.com,{HASH},\n"
    );
    let csv = write_file(&world, "users.csv", csv);
    let done = import(&world, &csv, &[]).await;
    assert_eq!(
        (done.code, done.counts()),
        (1, [1, 0, 4]),
        "{}",
        done.stderr
    );
    let report = format!("{:?}", done.report);
    let log = world.log().text(0);
    for secret in ["secret-", "hunter2", "QpzoKk7Rykg4dMd", "asleep"] {
        assert!(!done.stderr.contains(secret), "{}", done.stderr);
        assert!(!report.contains(secret), "{report}");
        assert!(!log.contains(secret), "{log}");
    }
}
