//! One damaged row of a second factor or a known device: its owner is told that it
//! could not be told, or is asked as on a new device, and has other ways in. Nobody
//! else notices.

use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_tests::{
    Backend, Enrolled, PASSWORD, Person, Tally, World, at_the_beginning_of_a_step,
    on_backends_at_once, present_step, reason,
};
use tonic::Status;

use crate::{EVERY, is_named, start_again, world};

/// How many others there are.
const OTHERS: usize = 3;
/// Rows that are damaged, and what is set in them.
const FACTORS: [&str; 3] = ["kind = 'odd'", "label = '\u{1}'", "sealed = user_id"];
const DEVICES: [&str; 3] = [
    "failures = -1",
    "number = -1",
    "failures = 9223372036854775807",
];

#[test]
fn a_damaged_factor_or_device_harms_nobody_else() {
    on_backends_at_once(&EVERY, damage);
}

/// Somebody with an app and a device on which it was shown.
struct Member {
    person: Person,
    enrolled: Enrolled,
    device: String,
}

async fn damage(backend: Backend) {
    let world = world(backend)
        .set("mfa.remember_device", "1d")
        .start()
        .await;
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        others.push(Member::new(&world).await);
    }
    let (mut of_factors, mut of_devices) = (Vec::new(), Vec::new());
    for (damages, table, victims) in [
        (FACTORS, "factors", &mut of_factors),
        (DEVICES, "devices", &mut of_devices),
    ] {
        for change in damages {
            let member = Member::new(&world).await;
            let id = backend.bytes(&member.person.user_id);
            let update = format!("UPDATE {table} SET {change} WHERE user_id = {id}");
            assert_eq!(world.execute(&update).await, 1, "{update}");
            victims.push((change, member));
        }
    }

    let (mut beside, mut of_victims) = (Tally::default(), Tally::default());
    for round in 0..2 {
        for member in &mut others {
            beside.add_all(&member.goes_on().await);
        }
        for (change, member) in &mut of_factors {
            let by_app = reason(&member.answers_by_app().await);
            of_victims.add(&format!("by an app with {change}: {by_app}"));
            assert_eq!(by_app, "INTERNAL", "{backend}, {change}: it is never a no");
            let by_code = member.answers_by_recovery_code().await;
            beside.add(&reason(&by_code));
        }
        for (change, member) in &mut of_devices {
            let asked = member.asked().await;
            let told = match &asked {
                Ok(Some(_)) => "asked".to_owned(),
                Ok(None) => "let in".to_owned(),
                Err(status) => reason(&Err::<(), _>(status.clone())),
            };
            // A device whose row is read goes on as before, and no longer.
            let is_read = *change == "number = -1";
            let expected = if is_read { "let in" } else { "asked" };
            of_victims.add(&format!("on a device with {change}: {told}"));
            assert_eq!(told, expected, "{backend}, {change}");
            beside.add(&reason(&member.answers_by_recovery_code().await));
        }
        if round == 0 {
            beside.add(start_again(&world).await);
            let everybody = others.iter_mut();
            let victims = of_factors.iter_mut().chain(&mut of_devices);
            for member in everybody.chain(victims.map(|(_, member)| member)) {
                // The one replica that there may be listens elsewhere now.
                member.person = member.person.at(&world.gateway());
            }
        }
    }
    let is_logged = |member: &Member| {
        let names = [&member.enrolled.factor_id, &member.person.user_id];
        let log = |replica| world.log().text(replica);
        (0..world.replicas().len()).any(|replica| names.iter().any(|n| log(replica).contains(*n)))
    };
    let unread = of_devices
        .iter()
        .filter(|(change, _)| *change != "number = -1");
    let named: Vec<_> = of_factors
        .iter()
        .chain(unread)
        .map(|(change, member)| {
            (
                *change,
                is_named(&world, &member.enrolled.factor_id) || is_logged(member),
            )
        })
        .collect();
    countersign_tests::say!(
        "guarantee 24 on {backend}, {} damaged factors and {} damaged devices: calls beside them \
         refused {} of {} ({beside}); of their owners: {of_victims}; named in the log: {named:?}",
        of_factors.len(),
        of_devices.len(),
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
    async fn new(world: &World) -> Self {
        let person = world.sign_up().await;
        let enrolled = person.enroll(&person.sign_in().await).await;
        let mut member = Self {
            person,
            enrolled,
            device: String::new(),
        };
        let id = member.asked().await.expect("the password is right");
        let code = member.enrolled.recovery_codes.pop().expect("a code");
        let id = id.expect("a second factor is asked for");
        let answered = member.person.answer_on(&id, &code, true).await;
        member.device = answered.expect("signed in").device_token;
        member
    }

    /// The MFA session of a sign-in on the device, if a second factor is asked for.
    async fn asked(&self) -> Result<Option<String>, Status> {
        let issued = self.person.try_on("192.0.2.7", &self.device, PASSWORD);
        match issued.await?.outcome {
            Some(Outcome::MfaRequired(asked)) => Ok(Some(asked.mfa_session_id)),
            Some(Outcome::Tokens(_)) => Ok(None),
            Some(Outcome::ServiceAccountToken(_) | Outcome::FederatedAccount(_)) | None => {
                Err(Status::internal("no outcome"))
            }
        }
    }

    /// The MFA session of a sign-in elsewhere.
    async fn asked_elsewhere(&self) -> Result<String, Status> {
        Ok(self.person.begin_sign_in().await?.mfa_session_id)
    }

    async fn answers_by_app(&self) -> Result<v1::Tokens, Status> {
        let id = self.asked_elsewhere().await?;
        at_the_beginning_of_a_step().await;
        let code = self.enrolled.app.code_of_step(present_step());
        self.person.answer(&id, &code).await
    }

    async fn answers_by_recovery_code(&mut self) -> Result<v1::Tokens, Status> {
        let id = self.asked_elsewhere().await?;
        let code = self.enrolled.recovery_codes.pop().expect("a code");
        self.person.answer(&id, &code).await
    }

    /// What somebody does whose rows are whole.
    async fn goes_on(&mut self) -> Tally {
        let mut tally = Tally::default();
        tally.add(match self.asked().await {
            Ok(None) => "OK",
            Ok(Some(_)) => "a device is not remembered",
            Err(_) => "refused on a device",
        });
        let answered = self.answers_by_recovery_code().await;
        tally.add(&reason(&answered));
        if let Ok(tokens) = answered {
            tally.add(&reason(&self.person.factors(&tokens).await));
        }
        tally
    }
}
