//! One damaged row of an account at a provider: whoever signs in with it is told that it could not
//! be told, never that it is nobody's, and has other ways in. Nobody else notices.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Issuer, PASSWORD, Person, Tally, World, on_backends_at_once, reason,
};

use crate::{EVERY, is_named, start_again, world};

/// How many others there are.
const OTHERS: usize = 3;
/// What is set in a row, and whether a sign-in reads it.
const DAMAGES: [(&str, bool); 3] = [
    ("provider = 'Not One'", true),
    ("linked_at = -9223372036854775807", true),
    ("sealed = user_id", false),
];

#[test]
fn a_damaged_account_at_a_provider_harms_nobody_else() {
    on_backends_at_once(&EVERY, damage);
}

/// Somebody with an account at the provider.
struct Member {
    person: Person,
    subject: String,
    identity: String,
}

async fn damage(backend: Backend) {
    let issuer = Issuer::start().await;
    let settings = issuer.settings().into_iter();
    let world = settings.fold(world(backend), |world, (path, value)| {
        world.set(&path, value)
    });
    let world = world.start().await;
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        others.push(Member::new(&world, &issuer).await);
    }
    let mut victims = Vec::new();
    for (change, is_read) in DAMAGES {
        let member = Member::new(&world, &issuer).await;
        let id = backend.bytes(&member.identity);
        let update = format!("UPDATE federated_identities SET {change} WHERE id = {id}");
        assert_eq!(world.execute(&update).await, 1, "{update}");
        victims.push((change, is_read, member));
    }

    let (mut beside, mut of_victims) = (Tally::default(), Tally::default());
    for round in 0..2 {
        for member in &others {
            beside.add(&member.signs_in(&issuer).await);
            beside.add(&member.lists().await);
        }
        for (change, is_read, member) in &victims {
            let outcome = member.signs_in(&issuer).await;
            of_victims.add(&format!("with {change}: {outcome}"));
            let expected = if *is_read { "INTERNAL" } else { "OK" };
            assert_eq!(outcome, expected, "{backend}, {change}: it is never a no");
            beside.add(&reason(&member.person.try_password(PASSWORD).await));
        }
        if round == 0 {
            beside.add(start_again(&world).await);
            let victims = victims.iter_mut().map(|(_, _, member)| member);
            for member in others.iter_mut().chain(victims) {
                // The one replica that there may be listens elsewhere now.
                member.person = member.person.at(&world.gateway());
            }
        }
    }
    let named = victims.iter().filter(|(_, is_read, _)| *is_read);
    let named: Vec<_> = named
        .map(|(change, _, member)| (*change, is_named(&world, &member.identity)))
        .collect();
    countersign_tests::say!(
        "guarantee 24 on {backend}, {} damaged accounts at a provider: calls beside them refused \
         {} of {} ({beside}); of their owners: {of_victims}; named in the log: {named:?}",
        victims.len(),
        beside.total() - beside.count("OK"),
        beside.total()
    );
    beside.assert_only(&["OK"]);
    for (change, is_named) in named {
        assert!(
            is_named,
            "{backend}: the row with {change} is named in the log"
        );
    }
}

impl Member {
    async fn new(world: &World, issuer: &Issuer) -> Self {
        let person = world.sign_up().await;
        let tokens = person.sign_in().await;
        let subject = person.email.replace(['@', '.'], "-");
        let identity = issuer.link(&person, &tokens, &subject).await;
        Self {
            person,
            subject,
            identity,
        }
    }

    async fn signs_in(&self, issuer: &Issuer) -> String {
        let outcome = issuer.outcome(&self.person.gateway, &self.subject).await;
        match outcome.as_str() {
            "signed in" => "OK".to_owned(),
            _ => outcome,
        }
    }

    async fn lists(&self) -> String {
        let list = v1::ListFederatedIdentitiesRequest {
            access_token: self.person.sign_in().await.access_token,
        };
        let mut federation = self.person.gateway.federation();
        reason(&federation.list_federated_identities(list).await)
    }
}
