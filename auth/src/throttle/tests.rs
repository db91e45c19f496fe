//! The five rules of the throttle, its bounds, and two hundred guesses at once.

use tokio::runtime::{Builder, Runtime};

use super::*;

const LIMITS: Limits = Limits {
    per_account: 3,
    per_source: 20,
    window: Duration::from_secs(600),
};
const START: Duration = Duration::from_secs(1000);

fn source(number: u32) -> Source {
    Source::of(std::net::Ipv4Addr::from_bits(0xc000_0200 + number).into())
}

fn after(seconds: u64) -> Duration {
    START + Duration::from_secs(seconds)
}

/// The outcome; a wait, by a clock that goes by itself, takes no time.
fn settled<T>(outcome: impl Future<Output = T>) -> T {
    thread_local!(static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap());
    RUNTIME.with(|runtime| runtime.block_on(outcome))
}

fn begin(
    throttle: &Arc<Throttle>,
    from: u32,
    account: &str,
    limits: Limits,
    now: Duration,
) -> Result<Ticket, Throttled> {
    settled(throttle.begin(source(from), account, limits, now))
}

fn try_at(throttle: &Arc<Throttle>, from: u32, account: &str, now: Duration) -> bool {
    begin(throttle, from, account, LIMITS, now).is_ok()
}

#[test]
fn the_window_ends_even_for_who_keeps_trying() {
    let throttle = Arc::new(Throttle::default());
    for _ in 0..3 {
        assert!(try_at(&throttle, 1, "alice", START));
    }
    for second in 0..600 {
        assert!(!try_at(&throttle, 1, "alice", after(second)));
    }
    assert!(try_at(&throttle, 1, "alice", after(600)));
    assert!(
        try_at(&throttle, 2, "alice", START),
        "another source has its own count"
    );
}

#[test]
fn two_hundred_guesses_at_once_are_counted_before_they_are_verified() {
    let throttle = Arc::new(Throttle::default());
    let tickets: Vec<_> = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..200)
            .map(|_| scope.spawn(|| begin(&throttle, 1, "alice", LIMITS, START).ok()))
            .collect();
        guesses
            .into_iter()
            .filter_map(|guess| guess.join().unwrap())
            .collect()
    });
    assert_eq!(tickets.len(), 3);
}

/// Ten logins of one account at once, all right: with a limit of three they go three by three.
#[test]
fn who_is_right_waits_for_the_others_and_is_not_refused() {
    let throttle = Arc::new(Throttle::default());
    let login = async || {
        let ticket = throttle.begin(source(1), "alice", LIMITS, START).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        ticket.granted(START);
        Ok::<_, Throttled>(())
    };
    settled(async {
        let (a, b, c, d, e) = tokio::join!(login(), login(), login(), login(), login());
        assert_eq!([a, b, c, d, e], [Ok(()); 5]);
    });
    assert_eq!(throttle.lock().pending.len(), 0);
}

#[test]
fn who_waits_is_refused_once_the_others_were_wrong() {
    let throttle = Arc::new(Throttle::default());
    let wrong = async || {
        let ticket = throttle.begin(source(1), "alice", LIMITS, START).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(ticket);
        Ok::<_, Throttled>(())
    };
    settled(async {
        let (a, b, c, d, e) = tokio::join!(wrong(), wrong(), wrong(), wrong(), wrong());
        let late = Err(Throttled::Account);
        assert_eq!([a, b, c, d, e], [Ok(()), Ok(()), Ok(()), late, late]);
    });
}

#[test]
fn nobody_waits_longer_than_ten_seconds() {
    let throttle = Arc::new(Throttle::default());
    let _held: Vec<_> = (0..3)
        .map(|_| begin(&throttle, 1, "alice", LIMITS, START).unwrap())
        .collect();
    let late = begin(&throttle, 1, "alice", LIMITS, START);
    assert_eq!(late.map(drop), Err(Throttled::Busy));
}

#[test]
fn a_source_is_limited_over_all_names() {
    let throttle = Arc::new(Throttle::default());
    let passed = (0..50)
        .filter(|n| try_at(&throttle, 1, &format!("u{n}"), START))
        .count();
    assert_eq!(passed, 20);
    assert!(try_at(&throttle, 2, "u0", START));
}

#[test]
fn many_sources_are_limited_per_account_but_a_known_one_is_let_in() {
    let throttle = Arc::new(Throttle::default());
    begin(&throttle, 999, "alice", LIMITS, START)
        .unwrap()
        .granted(START);
    let passed = (0..100)
        .filter(|n| try_at(&throttle, *n, "alice", after(1)))
        .count();
    assert_eq!(passed, 30);
    assert!(
        try_at(&throttle, 999, "alice", after(2)),
        "the owner's own source"
    );
    assert!(!try_at(&throttle, 500, "alice", after(2)));
    assert!(try_at(&throttle, 500, "bob", after(2)));
}

#[test]
fn a_known_source_is_known_for_a_day() {
    let long = Limits {
        window: Duration::from_secs(200_000),
        ..LIMITS
    };
    let throttle = Arc::new(Throttle::default());
    begin(&throttle, 999, "alice", long, START)
        .unwrap()
        .granted(START);
    for n in 0..30 {
        begin(&throttle, n, "alice", long, START).unwrap();
    }
    assert!(begin(&throttle, 999, "alice", long, START + KNOWN).is_err());
}

#[test]
fn a_granted_login_clears_its_account_at_its_source_only() {
    let throttle = Arc::new(Throttle::default());
    assert!(try_at(&throttle, 1, "alice", START) && try_at(&throttle, 1, "alice", START));
    assert!(try_at(&throttle, 2, "alice", START) && try_at(&throttle, 2, "alice", START));
    assert!(try_at(&throttle, 1, "bob", START) && try_at(&throttle, 1, "bob", START));
    begin(&throttle, 1, "alice", LIMITS, START)
        .unwrap()
        .granted(START);
    let left = |from, account| {
        (0..9)
            .filter(|_| try_at(&throttle, from, account, START))
            .count()
    };
    assert_eq!(left(1, "alice"), 3, "cleared");
    assert_eq!(left(2, "alice"), 1, "another source keeps its count");
    assert_eq!(left(1, "bob"), 1, "another account keeps its count");
}

#[test]
fn granted_logins_never_use_up_a_limit() {
    let throttle = Arc::new(Throttle::default());
    for _ in 0..1000 {
        begin(&throttle, 1, "alice", LIMITS, START)
            .unwrap()
            .granted(START);
    }
}

#[test]
fn trouble_is_given_back() {
    let throttle = Arc::new(Throttle::default());
    for _ in 0..100 {
        begin(&throttle, 1, "alice", LIMITS, START)
            .unwrap()
            .give_back();
    }
    assert!(try_at(&throttle, 1, "alice", START));
}

#[test]
fn aliases_share_the_count_of_their_account() {
    let throttle = Arc::new(Throttle::default());
    for alias in ["a", "b", "c"] {
        let mut ticket = begin(&throttle, 1, alias, LIMITS, START).unwrap();
        settled(ticket.reached("alice", START)).unwrap();
    }
    let mut ticket = begin(&throttle, 1, "d", LIMITS, START).unwrap();
    assert_eq!(
        settled(ticket.reached("alice", START)),
        Err(Throttled::Account)
    );
}

#[test]
fn zero_is_no_limit() {
    let none = Limits {
        per_account: 0,
        per_source: 0,
        ..LIMITS
    };
    let throttle = Arc::new(Throttle::default());
    for _ in 0..1000 {
        begin(&throttle, 1, "alice", none, START).unwrap();
    }
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let throttle = Arc::new(Throttle::with_entries(100));
    let limits = Limits {
        per_account: 1,
        per_source: 0,
        ..LIMITS
    };
    for n in 0..10_000 {
        begin(
            &throttle,
            n,
            "alice",
            Limits {
                per_account: 0,
                ..limits
            },
            START,
        )
        .unwrap();
    }
    let counts = throttle.lock();
    assert!(counts.pairs.len() <= 100 && counts.sources.len() <= 100);
    drop(counts);
    assert!(
        begin(&throttle, 9_999, "alice", limits, START).is_err(),
        "the newest is kept"
    );
}

#[test]
fn clearing_and_counting_again_does_not_grow_the_table() {
    let throttle = Arc::new(Throttle::with_entries(100));
    for n in 0..10_000 {
        begin(&throttle, n % 3, "alice", LIMITS, START)
            .unwrap()
            .granted(START);
    }
    assert!(throttle.lock().known.len() <= 100 && throttle.lock().pairs.len() <= 100);
}

#[test]
fn logins_that_are_granted_again_and_again_take_no_room_from_others() {
    let throttle = Arc::new(Throttle::with_entries(100));
    for _ in 0..3 {
        assert!(try_at(&throttle, 1, "alice", START));
    }
    for second in 0..300 {
        let ticket = begin(&throttle, 1, "bob", LIMITS, after(second));
        ticket.unwrap().granted(after(second));
    }
    assert!(
        !try_at(&throttle, 1, "alice", after(300)),
        "what was counted against alice is forgotten"
    );
    let counts = throttle.lock();
    for table in [&counts.pairs, &counts.known, &counts.accounts] {
        assert!(table.places() < 30, "{} places", table.places());
    }
}
