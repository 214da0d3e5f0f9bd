//! Every format of hashes: imported as it is, it is compared with at the first sign-in.

use countersign_proto::v1;
use countersign_proto::v1::import_result::Outcome;
use countersign_tests::{Backend, World, email, on_every_backend};

use super::call;

on_every_backend!(every_hash_signs_in);

/// Hashes that other programs made: by which, of what, and in which format.
const MADE: &str = include_str!("../../../crates/password/tests/vectors/made.tsv");
const PASSWORD: &str = "correct horse";

async fn every_hash_signs_in(backend: Backend) {
    let world = World::on(backend).start().await;
    let made = MADE
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let made: Vec<_> = made.filter(|fields| fields[1] == PASSWORD).collect();
    let users = made.iter().enumerate().map(|(number, fields)| {
        let address = email(&format!("hash{number}@example.com"));
        v1::ImportedUser {
            external_id: number.to_string(),
            identifiers: vec![v1::ImportedIdentifier {
                identifier: Some(address),
                verified: true,
            }],
            password_hash: fields[2].to_owned(),
            hash_format: fields[3].to_owned(),
            ..Default::default()
        }
    });
    let users: Vec<_> = users.collect();
    for part in users.chunks(50) {
        let outcomes = call(&world, part.to_vec()).await.expect("imported");
        for (user, outcome) in part.iter().zip(&outcomes) {
            assert!(
                matches!(outcome, Outcome::Imported(_)),
                "{}: {outcome:?}",
                user.password_hash
            );
        }
    }
    // A mere digest is stored nowhere.
    let digests = world.rows("credentials WHERE hash LIKE 'md5$%' OR hash LIKE 'sha1$%'");
    assert_eq!(digests.await, 0);
    let gateway = world.gateway();
    let mut signed_in = 0;
    for (number, fields) in made.iter().enumerate() {
        let address = email(&format!("hash{number}@example.com"));
        let tokens = gateway.sign_in(address, PASSWORD).await;
        assert!(tokens.is_ok(), "{}: {tokens:?}", fields[2]);
        signed_in += 1;
    }
    println!(
        "{backend}: hashes imported and signed in with {signed_in} of {}",
        made.len()
    );
}
