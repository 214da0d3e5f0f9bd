//! One damaged row in each table of people and sessions: whoever it belongs to
//! may have trouble, and nobody else.

use countersign_proto::v1;
use countersign_tests::{Backend, PASSWORD, Person, Tally, crowd, on_backends_at_once, reason};

use crate::{EVERY, is_named, start_again, world};

/// How many others there are beside each damaged row.
const OTHERS: usize = 6;

#[test]
fn a_damaged_row_of_a_person_harms_nobody_else() {
    on_backends_at_once(&EVERY, damage);
}

async fn damage(backend: Backend) {
    let world = world(backend).start().await;
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        let person = world.sign_up().await;
        let tokens = person.sign_in().await;
        others.push((person, tokens));
    }
    let mut victims = Vec::new();
    for (table, change, key) in [
        ("users", "state = 'odd'", "id"),
        ("identifiers", "kind = 'odd'", "user_id"),
        ("credentials", "hash = 'odd'", "user_id"),
        ("sessions", "methods = 'odd'", "user_id"),
    ] {
        let person = world.sign_up().await;
        let tokens = person.sign_in().await;
        let id = backend.bytes(&person.user_id);
        let update = format!("UPDATE {table} SET {change} WHERE {key} = {id}");
        assert!(world.execute(&update).await >= 1, "{update}");
        victims.push((table, person, tokens));
    }
    // MariaDB's column has a fixed length: there such a row cannot be.
    if backend != Backend::MariaDb {
        let tokens = others[0].0.sign_in().await;
        let revoked = others[0].0.gateway.revoke(&tokens.access_token).await;
        revoked.expect("revoked");
        let (id, short) = (backend.bytes(&tokens.session_id), backend.bytes("01"));
        let update = format!("UPDATE revocations SET session_id = {short} WHERE session_id = {id}");
        assert_eq!(world.execute(&update).await, 1);
    }

    let mut beside = Tally::default();
    let mut of_victims = Tally::default();
    for _ in 0..3 {
        refresh_together(&mut others, &victims, &mut beside, &mut of_victims).await;
        for (person, tokens) in &others {
            beside.add(&reason(&person.sessions(tokens).await));
        }
        beside.add_all(&world.main_job(&others[0].0).await);
    }
    for (_, person, _) in &victims {
        of_victims.add(&reason(&person.try_password(PASSWORD).await));
    }
    beside.add(start_again(&world).await);
    beside.add_all(&world.main_job(&others[0].0).await);
    let named = victims.iter().map(|(table, person, tokens)| {
        let names = [*table, &person.user_id, &tokens.session_id];
        (*table, names.iter().any(|name| is_named(&world, name)))
    });
    let named: Vec<_> = named.collect();
    countersign_tests::say!(
        "guarantee 24 on {backend}, a damaged row in each table of people: calls beside them \
         refused {} of {} ({beside}); of the people themselves: {of_victims}; named in the log: \
         {named:?}",
        beside.total() - beside.count("OK"),
        beside.total()
    );
    beside.assert_only(&["OK"]);
    // A row of identifiers that cannot be read is one that nobody asks for.
    for (table, is_named) in named {
        let is_read = table != "identifiers";
        assert!(
            is_named || !is_read,
            "{backend}: {table} is named in the log"
        );
    }
}

/// Everybody refreshes at the same moment, so that the same batch reads and
/// writes whole and damaged rows.
async fn refresh_together(
    others: &mut [(Person, v1::Tokens)],
    victims: &[(&str, Person, v1::Tokens)],
    beside: &mut Tally,
    of_victims: &mut Tally,
) {
    let of_others = others.iter().map(|(person, tokens)| (person, tokens));
    let of_damaged = victims.iter().map(|(_, person, tokens)| (person, tokens));
    let everybody: Vec<_> = of_others.chain(of_damaged).collect();
    let refreshed = crowd(everybody.len(), |member| {
        let (person, tokens) = everybody[member];
        let (gateway, token) = (person.gateway.clone(), tokens.refresh_token.clone());
        async move { gateway.refresh(&token).await }
    });
    for (member, outcome) in refreshed.await.into_iter().enumerate() {
        let Some((_, tokens)) = others.get_mut(member) else {
            of_victims.add(&reason(&outcome));
            continue;
        };
        beside.add(&reason(&outcome));
        if let Ok(next) = outcome {
            *tokens = next;
        }
    }
}
