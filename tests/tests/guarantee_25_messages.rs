//! Guarantee 25, so far as it shows from outside: a message goes out once, or is
//! known not to have. The server is killed right after it answered.

use std::collections::HashMap;
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Gateway, PASSWORD, Tally, World, crowd, delivery_state, email, masked,
    on_every_backend, reason,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

on_every_backend!(
    a_kill_loses_no_notice_and_repeats_no_code,
    each_send_makes_one_message,
);

const NEW_PASSWORD: &str = "nine herons on the far pier";
/// How long what is queued may take to be sent.
const SOON: Duration = Duration::from_secs(60);
/// How long what must not come is waited for.
const QUIET: Duration = Duration::from_secs(2);

async fn a_kill_loses_no_notice_and_repeats_no_code(backend: Backend) {
    const ROUNDS: usize = 20;
    // Their answers are cut off by the kill: nobody is told what became of them.
    const UNKNOWN: usize = 6;
    let world = World::start(backend, 1).await;
    let mut people = Vec::new();
    for _ in 0..ROUNDS {
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        people.push((mina, tokens));
    }
    let (mut sent, mut unknown) = (Vec::new(), Vec::new());
    for (mina, tokens) in &people {
        let gateway = world.gateway();
        let mina = mina.at(&gateway);
        let address = world.new_email();
        let sending = gateway.send_code(email(&address), v1::Purpose::SignUp, "");
        let changing = mina.change_password(tokens, PASSWORD, NEW_PASSWORD);
        let (id, changed) = tokio::join!(sending, changing);
        let id = id.expect("a code is sent");
        changed.expect("the password is changed");
        let mut cut_off = JoinSet::new();
        for _ in 0..UNKNOWN {
            let (gateway, address) = (gateway.clone(), world.new_email());
            unknown.push(address.clone());
            cut_off.spawn(async move {
                let sent = gateway.send_code(email(&address), v1::Purpose::SignUp, "");
                sent.await.ok();
            });
        }
        // Up to 5 ms after the answer, at another moment in each round.
        sleep(Duration::from_micros(250) * u32::try_from(sent.len()).expect("few rounds")).await;
        world.replica(0).kill().await;
        cut_off.join_all().await;
        sent.push((address, id));
        world.replica(0).start().await;
    }

    let owners = people.iter().map(|(mina, _)| mina.email.as_str());
    sent_soon(&world, owners.clone(), |arrived| arrived.notices > 0).await;
    sleep(QUIET).await;

    let arrived = arrived(&world);
    let notices = owners.map(|owner| of(&arrived, owner).notices);
    let lost = notices.clone().filter(|count| *count == 0).count();
    let repeated = notices.filter(|count| *count > 1).count();
    let mut codes = Tally::default();
    let gateway = world.gateway();
    for (address, id) in &sent {
        let count = of(&arrived, address).codes;
        codes.add(&match count {
            0 => format!("not sent, shown as {}", shown(&gateway, id).await),
            1 => "sent once".into(),
            _ => "sent twice".into(),
        });
    }
    let cut_off_twice = unknown
        .iter()
        .filter(|address| of(&arrived, address).codes > 1);
    let twice = codes.count("sent twice") + cut_off_twice.count();
    countersign_tests::say!(
        "guarantee 25 on {backend}: {ROUNDS} kills right after the answer: codes: {codes}; sent \
         twice {twice} of {}; notices lost {lost}, repeated {repeated}, of {ROUNDS}",
        sent.len() + unknown.len(),
    );
    assert_eq!((twice, lost), (0, 0));
    let mut known = vec![
        "sent once",
        "not sent, shown as Queued",
        "not sent, shown as Failed",
    ];
    if backend == Backend::Sqlite {
        // The in-process store forgets the code itself.
        known.push("not sent, shown as VERIFICATION_NOT_FOUND");
    }
    codes.assert_only(&known);
}

async fn each_send_makes_one_message(backend: Backend) {
    const SENDS: usize = 300;
    let world = World::start(backend, backend.replicas()).await;
    let gateways = world.gateways(4);
    let addresses: Vec<String> = (0..SENDS).map(|_| world.new_email()).collect();
    let outcomes = crowd(SENDS, |member| {
        let gateway = gateways[member % gateways.len()].clone();
        let address = email(&addresses[member]);
        async move { gateway.send_code(address, v1::Purpose::SignUp, "").await }
    })
    .await;
    let accepted = Tally::of(&outcomes);
    let all = addresses.iter().map(String::as_str);
    let took = sent_soon(&world, all, |arrived| arrived.codes > 0).await;
    sleep(QUIET).await;
    let arrived = arrived(&world);

    let (mut messages, mut checked) = (Tally::default(), Tally::default());
    for (address, outcome) in addresses.iter().zip(&outcomes) {
        let found = of(&arrived, address);
        messages.add(&format!("{} message(s)", found.codes));
        let code = found.latest_code;
        let (Ok(id), Some(code)) = (outcome, code) else {
            continue;
        };
        checked.add(&reason(&gateways[0].check_code(id, &code).await));
    }
    countersign_tests::say!(
        "guarantee 25 on {backend}, {} replica(s): {SENDS} sends at once: {accepted}; after \
         {took:?}: {messages}; their codes: {checked}",
        world.replicas().len(),
    );
    accepted.assert_only(&["OK"]);
    messages.assert_only(&["1 message(s)"]);
    assert_eq!(checked.count("OK"), SENDS, "{checked}");
}

/// What arrived at one address.
#[derive(Debug, Clone, Default)]
struct Arrived {
    codes: usize,
    notices: usize,
    latest_code: Option<String>,
}

/// What arrived at each address so far.
fn arrived(world: &World) -> HashMap<String, Arrived> {
    let mut all: HashMap<String, Arrived> = HashMap::new();
    for message in world.log().messages() {
        let arrived = all.entry(message.to).or_default();
        if message.code.is_some() {
            arrived.codes += 1;
            arrived.latest_code = message.code;
        } else {
            arrived.notices += 1;
        }
    }
    all
}

fn of(all: &HashMap<String, Arrived>, address: &str) -> Arrived {
    all.get(&masked(address)).cloned().unwrap_or_default()
}

/// Waits until all of these addresses have what they wait for, or until it is
/// clear that they will not, and tells how long that took.
async fn sent_soon<'a>(
    world: &World,
    addresses: impl Iterator<Item = &'a str> + Clone,
    is_there: impl Fn(&Arrived) -> bool,
) -> Duration {
    let began = Instant::now();
    loop {
        let all = arrived(world);
        let is_all_there = addresses
            .clone()
            .all(|address| is_there(&of(&all, address)));
        if is_all_there || began.elapsed() > SOON {
            return began.elapsed();
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// What GetVerification says of a message.
async fn shown(gateway: &Gateway, id: &str) -> String {
    match gateway.verification(id).await {
        Ok(verification) => delivery_state(&verification).unwrap_or_else(|| "nothing".into()),
        refused => reason(&refused),
    }
}
