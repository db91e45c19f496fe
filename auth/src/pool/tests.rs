//! Fairness, limits, giving up, and surviving a panic.

use std::sync::mpsc;

use super::*;

const ONE: &str = "192.0.2.1";
const TWO: &str = "192.0.2.2";

fn at(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Keeps the only thread busy until the returned sender is dropped.
async fn occupy(pool: &Arc<Pool>) -> mpsc::Sender<()> {
    let (release, wait) = mpsc::channel::<()>();
    let (begun, began) = oneshot::channel();
    let pool = Arc::clone(pool);
    tokio::spawn(async move {
        pool.run(at("198.51.100.1"), move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        })
        .await
    });
    began.await.unwrap();
    release
}

fn waiting(pool: &Pool) -> usize {
    pool.shared.lock().waiting
}

async fn until_waiting(pool: &Pool, wanted: usize) {
    while waiting(pool) != wanted {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn five_hundred_waiting_jobs_delay_another_client_by_one() {
    let pool = Arc::new(Pool::new("test", 1, 500, 1000).unwrap());
    let release = occupy(&pool).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (client, jobs) in [(ONE, 500), (TWO, 1)] {
        for _ in 0..jobs {
            let (pool, order) = (Arc::clone(&pool), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                pool.run(at(client), move || order.lock().unwrap().push(client))
                    .await
            }));
        }
        until_waiting(&pool, if client == ONE { 500 } else { 501 }).await;
    }
    drop(release);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let order = order.lock().unwrap();
    assert_eq!(order.iter().position(|client| *client == TWO), Some(1));
}

/// What each of two clients is served, while both always have a job waiting.
fn served(slow: Duration, quick: Duration, jobs: usize) -> (usize, usize) {
    let mut queue = Queue::default();
    let add = |queue: &mut Queue, client| {
        let source = Source::of(at(client));
        let work: Box<dyn FnOnce() + Send> = Box::new(|| ());
        let line = queue.clients.entry(source).or_default();
        line.push_back(Job {
            number: 0,
            pace: Pace::Any,
            work,
        });
        if line.len() == 1 {
            queue.turn.push_back(source);
        }
    };
    let mut counts = (0, 0);
    for client in [ONE, ONE, TWO, TWO] {
        add(&mut queue, client);
    }
    for _ in 0..jobs {
        let (source, _) = queue.take(Pace::Any).unwrap();
        let is_slow = source == Source::of(at(ONE));
        queue.charge(source, if is_slow { slow } else { quick });
        add(&mut queue, if is_slow { ONE } else { TWO });
        counts.0 += usize::from(is_slow);
        counts.1 += usize::from(!is_slow);
    }
    assert!(queue.ahead.len() <= 2);
    counts
}

#[test]
fn who_brings_slow_jobs_has_fewer_of_them() {
    let ms = Duration::from_millis;
    let (slow, quick) = served(ms(50), ms(1), 1020);
    assert!((18..=22).contains(&slow), "{slow} of {quick}");
    let (one, two) = served(ms(5), ms(5), 1000);
    assert!(one.abs_diff(two) <= 2, "{one} of {two}");
}

#[test]
fn who_was_away_has_saved_nothing_up() {
    let mut queue = Queue::default();
    let (one, two) = (Source::of(at(ONE)), Source::of(at(TWO)));
    for _ in 0..100 {
        queue.charge(one, Duration::from_millis(50));
    }
    assert_eq!(queue.had(&two), queue.share);
    assert!(queue.had(&one) <= queue.share + Duration::from_millis(50));
    assert!(queue.ahead.is_empty(), "alone, nobody is ahead");
}

#[tokio::test]
async fn a_quick_job_waits_for_no_slow_one() {
    let pool = Pool::new("test", 1, 9, 9).unwrap();
    let pool = Arc::new(pool.with_quick_thread("quick").unwrap());
    let release = occupy(&pool).await;
    let slow = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.run(at(TWO), || ()).await }
    });
    until_waiting(&pool, 1).await;
    assert_eq!(pool.run_at(Pace::Quick, at(ONE), || 7).await, Ok(7));
    assert_eq!(waiting(&pool), 1, "its thread takes nothing else");
    drop(release);
    slow.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_quick_job_is_found_once_its_clients_slow_one_was_begun() {
    let pool = Pool::new("test", 1, 9, 9).unwrap();
    let pool = Arc::new(pool.with_quick_thread("quick").unwrap());
    let release = occupy(&pool).await;
    let (end, wait) = mpsc::channel::<()>();
    let add = |pace, job: Box<dyn FnOnce() + Send>| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { pool.run_at(pace, at(ONE), job).await })
    };
    let until_released = move || {
        let _ = wait.recv();
    };
    let slow = add(Pace::Any, Box::new(until_released));
    until_waiting(&pool, 1).await;
    let quick = add(Pace::Quick, Box::new(|| ()));
    until_waiting(&pool, 2).await;
    drop(release);
    quick.await.unwrap().unwrap();
    drop(end);
    slow.await.unwrap().unwrap();
}

#[tokio::test]
async fn limits_hold_for_one_client_and_for_all() {
    let pool = Arc::new(Pool::new("test", 1, 2, 3).unwrap());
    let _release = occupy(&pool).await;
    for (client, count) in [(ONE, 1), (ONE, 2), (TWO, 3)] {
        let other = Arc::clone(&pool);
        tokio::spawn(async move { other.run(at(client), || ()).await });
        until_waiting(&pool, count).await;
        if count == 2 {
            assert_eq!(pool.run(at(ONE), || ()).await, Err(Overloaded::Client));
        }
    }
    assert_eq!(pool.run(at(TWO), || ()).await, Err(Overloaded::Total));
}

#[tokio::test]
async fn a_dropped_future_leaves_the_queue() {
    let pool = Arc::new(Pool::new("test", 1, 9, 9).unwrap());
    let release = occupy(&pool).await;
    let ran = Arc::new(Mutex::new(false));
    let (other, flag) = (Arc::clone(&pool), Arc::clone(&ran));
    let task = tokio::spawn(async move {
        other
            .run(at(ONE), move || *flag.lock().unwrap() = true)
            .await
    });
    until_waiting(&pool, 1).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(waiting(&pool), 0);
    drop(release);
    assert_eq!(pool.run(at(ONE), || 7).await, Ok(7));
    assert!(!*ran.lock().unwrap());
}

#[tokio::test]
async fn a_panic_is_told_and_the_thread_lives_on() {
    let pool = Pool::new("test", 1, 9, 9).unwrap();
    let lost: Result<(), _> = pool.run(at(ONE), || panic!("on purpose")).await;
    assert_eq!(lost, Err(Overloaded::Lost));
    assert_eq!(pool.run(at(ONE), || 7).await, Ok(7));
}

#[tokio::test]
async fn closing_the_pool_tells_those_who_wait() {
    let pool = Arc::new(Pool::new("test", 1, 9, 9).unwrap());
    let release = occupy(&pool).await;
    let (send, receive) = oneshot::channel();
    pool.shared
        .enter(
            Source::of(at(ONE)),
            Pace::Any,
            Box::new(move || send.send(()).unwrap()),
        )
        .unwrap();
    let shared = Arc::clone(&pool.shared);
    // The occupying task still holds the pool, so the end is played by hand.
    drop(Pool { shared });
    assert!(receive.await.is_err());
    drop(release);
}
