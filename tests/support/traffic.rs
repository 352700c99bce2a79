//! A back office that submits without pause and repeats until it is answered, whatever becomes of the daemon.

use super::parties::Office;
use article6::commands::homes::Home;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The back office.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<Mutex<BTreeMap<String, String>>>,
    task: JoinHandle<()>,
}

impl Traffic {
    /// Begins; every request is named by the prefix and a number.
    pub fn start(home: &Home, prefix: &str) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<Mutex<BTreeMap<_, _>>>::default());
        let task = tokio::spawn(submit(home.clone(), prefix.to_owned(), stop.clone(), answered.clone()));
        Self { stop, answered, task }
    }

    /// Ends after the answer that is awaited; returns request and message of all that was answered.
    pub async fn finish(self) -> BTreeMap<String, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        std::mem::take(&mut *self.answered.lock().unwrap())
    }

    /// Ends at once: the back office fails with its daemon.
    pub fn cut(self) -> BTreeMap<String, String> {
        self.task.abort();
        std::mem::take(&mut *self.answered.lock().unwrap())
    }
}

async fn submit(
    home: Home,
    prefix: String,
    stop: Arc<AtomicBool>,
    answered: Arc<Mutex<BTreeMap<String, String>>>,
) {
    let fixture = usize::from(home.party != "US");
    let mut office = Office::open(&home).await;
    let mut number = 0;
    // What was asked is asked until it is answered: the daemon may have stored it before it was killed.
    while number == 0 || !stop.load(Ordering::Relaxed) {
        let request = format!("{prefix}-{number}");
        let name = loop {
            match office.submit(&request, fixture).await {
                Ok(message) => break message.name,
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    office = Office::open(&home).await;
                }
            }
        };
        answered.lock().unwrap().insert(request, name);
        number += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
