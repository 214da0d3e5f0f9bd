//! Guarantee 25: `kill -9` between each two steps of a message's life. A message
//! is queued, claimed, handed to the sender, and settled. A code is sent once or
//! known not to have been; a notice is sent, if need be again.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, PASSWORD, Person, StalledSender, Step, Tally, World, email, eventually,
    on_backends_at_once,
};
use tokio::time::{Instant, sleep};

const EVERY: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::MariaDb];
/// Codes, and as many notices, for each moment.
const MESSAGES: usize = 6;
const ALL: usize = 2 * MESSAGES;
const CLAIMED: &str = "state = 'sending'";
const NEW_PASSWORD: &str = "nine herons on the far pier";
/// How long a step may take.
const SOON: Duration = Duration::from_secs(30);
/// After which another may take over what a killed server had claimed, and has.
const TAKEN_OVER: Duration = Duration::from_secs(75);

/// After which step the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Queued,
    Claimed,
    Handed,
    Settled,
}

/// In an order in which what is left over of one is in no other's way.
const MOMENTS: [Moment; 4] = [
    Moment::Queued,
    Moment::Settled,
    Moment::Claimed,
    Moment::Handed,
];

#[test]
fn a_kill_between_two_steps_repeats_no_code_and_loses_no_notice() {
    on_backends_at_once(&EVERY, kill_between_steps);
}

async fn kill_between_steps(backend: Backend) {
    let Some(sender) = StalledSender::new() else {
        return;
    };
    let world = World::on(backend).sender_at(0, &sender).start().await;
    let mut sent = BTreeMap::new();
    for moment in MOMENTS {
        let messages = Messages::prepare(&world).await;
        // All are queued before the first goes on, so that they share its fate.
        world.refuse(Step::Claim).await;
        messages.queue(&world).await;
        messages.pass_until(&world, &sender, moment).await;
        world.replica(0).kill().await;
        messages.assert_at(&world, moment).await;
        match moment {
            Moment::Queued => world.allow(Step::Claim).await,
            Moment::Claimed => sender.go_on(),
            Moment::Handed => world.allow(Step::Settle).await,
            Moment::Settled => {}
        }
        world.replica(0).start().await;
        if moment == Moment::Queued {
            let is_sent = || async { (messages.handed(&world) == ALL).then_some(()) };
            eventually("what was queued is sent", SOON, is_sent).await;
        }
        sent.insert(moment, messages);
    }
    let began = Instant::now();
    let is_settled = || async { (waiting(&world).await == 0).then_some(()) };
    eventually("nothing waits any more", TAKEN_OVER, is_settled).await;
    sleep(Duration::from_secs(2)).await;

    // Of what a killed server had claimed nobody knows whether it was sent.
    let unknown = rows(&world, "state = 'failed'").await;
    let (mut twice, mut lost) = (0, 0);
    let mut lines = Vec::new();
    for (moment, messages) in &sent {
        let (codes, notices) = messages.arrived(&world);
        twice += codes.iter().filter(|count| **count > 1).count();
        lost += notices.iter().filter(|count| **count == 0).count();
        lines.push(format!(
            "{moment:?}: codes {}, notices {}",
            tally(&codes),
            tally(&notices)
        ));
    }
    let of_each = MESSAGES * MOMENTS.len();
    countersign_tests::say!(
        "guarantee 25 on {backend}, kill -9 after each step, all over after another {:?}: codes \
         sent twice {twice} of {of_each}, given up as doubtful {unknown}; notices \
         lost {lost} of {of_each}; {}",
        began.elapsed(),
        lines.join("; ")
    );
    assert_eq!((twice, lost), (0, 0));
    for (moment, messages) in &sent {
        let (codes, notices) = messages.arrived(&world);
        let expected = usize::from(*moment != Moment::Claimed);
        assert_eq!(codes, vec![expected; MESSAGES], "{backend}, {moment:?}");
        let may_be_repeated = *moment == Moment::Handed;
        for count in notices {
            assert!(
                count == 1 || may_be_repeated,
                "{backend}, {moment:?}: {count}"
            );
        }
    }
    assert_eq!(unknown, 2 * MESSAGES, "{backend}: codes that are given up");
}

/// Codes and notices that share a fate.
struct Messages {
    codes: Vec<String>,
    people: Vec<(Person, v1::Tokens)>,
}

impl Messages {
    /// Signs those up who are written to.
    async fn prepare(world: &World) -> Self {
        let mut people = Vec::new();
        for _ in 0..MESSAGES {
            let person = world.sign_up().await;
            let tokens = person.sign_in().await;
            people.push((person, tokens));
        }
        let codes = (0..MESSAGES).map(|_| world.new_email()).collect();
        Self { codes, people }
    }

    /// Sends the codes and changes the passwords.
    async fn queue(&self, world: &World) {
        let gateway = world.gateway();
        for address in &self.codes {
            let sent = gateway.send_code(email(address), v1::Purpose::SignUp, "");
            sent.await.expect("a code is queued");
        }
        for (person, tokens) in &self.people {
            let changed = person.change_password(tokens, PASSWORD, NEW_PASSWORD);
            changed.await.expect("the password is changed");
        }
    }

    /// Lets them go on until they are where the server is to be killed.
    async fn pass_until(&self, world: &World, sender: &StalledSender, moment: Moment) {
        match moment {
            Moment::Queued => return,
            Moment::Claimed => sender.stall(),
            Moment::Handed => world.refuse(Step::Settle).await,
            Moment::Settled => {}
        }
        world.allow(Step::Claim).await;
        let is_there = || async {
            let is_so = match moment {
                Moment::Settled => waiting(world).await == 0,
                Moment::Handed => self.handed(world) == ALL,
                Moment::Queued | Moment::Claimed => rows(world, CLAIMED).await == ALL,
            };
            is_so.then_some(())
        };
        eventually(&format!("{moment:?}"), SOON, is_there).await;
    }

    /// The kill came between the two steps: the rows and the log say so.
    async fn assert_at(&self, world: &World, moment: Moment) {
        let found = (rows(world, "state = 'queued'").await, self.handed(world));
        let expected = match moment {
            Moment::Queued => (ALL, 0),
            Moment::Claimed => (0, 0),
            Moment::Handed | Moment::Settled => (0, ALL),
        };
        assert_eq!(found, expected, "{moment:?}");
        let claimed = rows(world, CLAIMED).await;
        match moment {
            Moment::Queued | Moment::Settled => assert_eq!(claimed, 0, "{moment:?}"),
            Moment::Claimed | Moment::Handed => assert!(claimed >= ALL, "{moment:?}: {claimed}"),
        }
    }

    /// How many of them were handed to the sender.
    fn handed(&self, world: &World) -> usize {
        let (codes, notices) = self.arrived(world);
        codes.iter().chain(&notices).sum()
    }

    /// How many codes arrived at each address, and how many notices.
    fn arrived(&self, world: &World) -> (Vec<usize>, Vec<usize>) {
        let codes = self.codes.iter().map(|address| {
            let messages = world.messages_to(address);
            messages
                .iter()
                .filter(|message| message.code.is_some())
                .count()
        });
        let notices = self.people.iter().map(|(person, _)| {
            let messages = world.messages_to(&person.email);
            messages
                .iter()
                .filter(|message| message.code.is_none())
                .count()
        });
        (codes.collect(), notices.collect())
    }
}

/// How many messages wait, or are being sent.
async fn waiting(world: &World) -> usize {
    rows(world, "due_at IS NOT NULL").await
}

async fn rows(world: &World, condition: &str) -> usize {
    let rows = world.rows(&format!("outbox WHERE {condition}")).await;
    usize::try_from(rows).expect("a count")
}

fn tally(counts: &[usize]) -> Tally {
    let mut tally = Tally::default();
    for count in counts {
        tally.add(&format!("sent {count}"));
    }
    tally
}
