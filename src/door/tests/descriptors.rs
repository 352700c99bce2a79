//! What happens when the process has no descriptors left. It takes them all, so it runs in a process of its own.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;

use super::house::House;
use crate::door::counters::Count;

#[test]
fn running_out_of_descriptors_neither_spins_nor_lasts() {
    let alone = "door::tests::descriptors::alone";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", alone, "--test-threads=1", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "takes every descriptor of its process; the test above starts it"]
async fn alone() {
    let house = House::new().await;
    house.is_well().await;
    // Both ends of that connection give their descriptors back first.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..before }).unwrap();
    let mut hog: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // The one descriptor left goes to the client's end; accepting it finds none.
    hog.pop();
    let waiting = TcpStream::connect(house.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let failed = house.counters.get(Count::AcceptFailed);
    assert!((2..=10).contains(&failed), "{failed} failures in 1.5 s");
    hog.clear();
    setrlimit(Resource::Nofile, before).unwrap();
    house.counted(Count::Accepted, 2).await;
    drop(waiting);
    house.is_well().await;
}
