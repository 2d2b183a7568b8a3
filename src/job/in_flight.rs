//! Several groups of articles in the works at once: while one is in the models, the next is read
//! and taken apart, so that neither waits for the other.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The order in which what is done is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That in which it came.
    AsTaken,
    /// That in which it is ready.
    AsDone,
}

/// Takes pieces of work from `next` until there are none, does them with `work` on so many threads,
/// and hands the results to `keep`, one at a time. Of the pieces that are taken and not handed on
/// there are never more than twice as many as threads, however slow one of them is.
///
/// # Errors
/// The first error of any of the three. What is in the works then is finished, and handed on where
/// the error is not `keep`'s; nothing more is taken.
pub fn in_flight<T: Send, R: Send>(
    threads: usize,
    order: Order,
    next: impl FnMut() -> Result<Option<T>> + Send,
    work: impl Fn(T) -> Result<R> + Sync,
    mut keep: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let threads = threads.max(1);
    let (permits, taken) = mpsc::sync_channel(threads * 2);
    for _ in 0..threads * 2 {
        permits.send(()).map_err(|_| Error::Interrupted)?;
    }
    let source = Mutex::new(Source { next, taken, number: 0 });
    let ended = AtomicBool::new(false);
    let (send, done) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (send, source, work, ended) = (send.clone(), &source, &work, &ended);
            scope.spawn(move || {
                while let Some((number, piece)) = take(source, ended) {
                    let result = piece.and_then(work);
                    if result.is_err() {
                        ended.store(true, Ordering::SeqCst);
                    }
                    if send.send((number, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let outcome = hand_on(&done, &permits, order, &mut keep);
        ended.store(true, Ordering::SeqCst);
        // Whoever waits for a permit finds that there are no more.
        drop(permits);
        outcome
    })
}

/// Where the pieces come from.
struct Source<F> {
    next: F,
    taken: Receiver<()>,
    number: usize,
}

/// The next piece with its number, or why there is none; none at the end.
fn take<T, F: FnMut() -> Result<Option<T>>>(
    source: &Mutex<Source<F>>,
    ended: &AtomicBool,
) -> Option<(usize, Result<T>)> {
    let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
    let has_ended = || ended.load(Ordering::SeqCst);
    if has_ended() || source.taken.recv().is_err() || has_ended() {
        return None;
    }
    let piece = (source.next)().transpose();
    ended.fetch_or(!matches!(piece, Some(Ok(_))), Ordering::SeqCst);
    source.number += 1;
    Some((source.number, piece?))
}

/// Hands on what is done, and gives a permit for each.
fn hand_on<R>(
    done: &Receiver<(usize, Result<R>)>,
    permits: &SyncSender<()>,
    order: Order,
    keep: &mut impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let mut waiting = BTreeMap::new();
    let mut due = 1;
    let mut failed = None;
    for (number, result) in done {
        waiting.insert(number, result);
        loop {
            let ready = match order {
                Order::AsTaken => waiting.remove(&due),
                Order::AsDone => waiting.pop_first().map(|(_, result)| result),
            };
            let Some(result) = ready else { break };
            due += 1;
            match result {
                Ok(result) => keep(result)?,
                Err(error) => failed = failed.or(Some(error)),
            }
            // There is always room: each was taken with one.
            let _ = permits.try_send(());
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    /// Numbers from 1 to a last one.
    fn up_to(last: usize) -> impl FnMut() -> Result<Option<usize>> {
        let mut number = 0;
        move || {
            number += 1;
            Ok((number <= last).then_some(number))
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_pieces_and_few_wait() {
        let (taken, kept) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut numbers = up_to(60);
        let next = || {
            let ahead = taken.fetch_add(1, Ordering::SeqCst) - kept.load(Ordering::SeqCst);
            assert!(ahead <= 6, "{ahead}");
            numbers()
        };
        let work = |number: usize| {
            // The first ones are the slow ones.
            thread::sleep(Duration::from_millis(if number % 7 == 1 { 20 } else { 1 }));
            Ok(number * 10)
        };
        let mut out = Vec::new();
        in_flight(3, Order::AsTaken, next, work, |result| {
            out.push(result);
            kept.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
        assert_eq!(out, (1..=60).map(|number| number * 10).collect::<Vec<_>>());

        let mut out = Vec::new();
        in_flight(3, Order::AsDone, up_to(60), work, |result| {
            out.push(result);
            Ok(())
        })
        .unwrap();
        out.sort_unstable();
        assert_eq!(out.len(), 60);
        assert_eq!((out[0], out[59]), (10, 600));
    }

    #[test]
    fn an_error_ends_it_and_what_was_done_is_kept() {
        let fails = || Error::Usage("no".into());
        let work = |number| if number == 5 { Err(fails()) } else { Ok(number) };
        let mut out = Vec::new();
        let ended = in_flight(2, Order::AsTaken, up_to(1000), work, |number| {
            out.push(number);
            Ok(())
        });
        assert!(ended.is_err() && out.starts_with(&[1, 2, 3, 4]) && out.len() < 20, "{out:?}");
        let mut numbers = up_to(3);
        let next = || numbers()?.map(Some).ok_or_else(fails);
        let mut count = 0;
        let ended = in_flight(2, Order::AsTaken, next, Ok, |_| {
            count += 1;
            Ok(())
        });
        assert!(ended.is_err() && count == 3);
        let ended = in_flight(4, Order::AsTaken, up_to(1000), Ok, |_| Err(fails()));
        assert!(ended.is_err());
    }
}
