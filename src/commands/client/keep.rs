//! Files of messages taken over: each is whole and durable, or absent.

use super::trouble::ClientError;
use super::{names, words};
use crate::backoffice::v1::Message;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Makes the folder, closed to everybody else, unless it is there. Returns when it is durable.
pub(super) fn folder(dir: &Path) -> Result<(), ClientError> {
    let named = |folder: &&Path| !folder.as_os_str().is_empty();
    let missing: Vec<_> = dir.ancestors().filter(named).take_while(|folder| !folder.exists()).collect();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    for made in missing {
        let parent = made.parent().filter(named).unwrap_or(Path::new("."));
        sync(parent)?;
    }
    Ok(())
}

/// Writes what a message consists of: `<uuid>.json` for people and systems; `.envelope`, `.p7s` and `.body` are the
/// signed bytes, the detached signature over them and the body they commit to. Returns when all of it is durable.
/// Repeating it is harmless.
pub(super) fn message(dir: &Path, message: &Message) -> Result<PathBuf, ClientError> {
    let id = names::identifier(&message.name).ok_or(ClientError::Answer("a message name"))?;
    let content = message.content.as_ref().ok_or(ClientError::Answer("the content"))?;
    let document = words::document(message).ok_or(ClientError::Answer("an envelope"))?;
    let pretty = serde_json::to_vec_pretty(&document).map_err(|_| ClientError::Answer("a body"))?;
    let json = dir.join(format!("{id}.json"));
    file(dir, &dir.join(format!("{id}.envelope")), &content.envelope)?;
    file(dir, &dir.join(format!("{id}.p7s")), &content.signature)?;
    if !content.unavailable {
        file(dir, &dir.join(format!("{id}.body")), &content.body_bytes)?;
    }
    // Last: whoever waits for it finds the others beside it.
    file(dir, &json, &pretty)?;
    sync(dir)?;
    Ok(json)
}

/// Writes a bundle, in the place of an earlier one of the same message. Returns when it is durable.
pub(super) fn bundle(dir: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, ClientError> {
    let is_plain = Path::new(name).file_name().is_some_and(|plain| plain == name);
    let path = dir.join(Some(name).filter(|_| is_plain).ok_or(ClientError::Answer("a file name"))?);
    let mut whole = tempfile::NamedTempFile::new_in(dir).map_err(at(dir))?;
    whole.write_all(bytes).and_then(|()| whole.as_file().sync_all()).map_err(at(&path))?;
    whole.persist(&path).map_err(|error| at(&path)(error.error))?;
    sync(dir)?;
    Ok(path)
}

/// A file is found after a loss of power only when the folder that names it is durable too.
fn sync(dir: &Path) -> Result<(), ClientError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

fn file(dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    match std::fs::read(path) {
        Ok(found) if found == bytes => return Ok(()),
        Ok(_) => return Err(ClientError::Occupied(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(at(path)(error)),
    }
    let mut whole = tempfile::NamedTempFile::new_in(dir).map_err(at(dir))?;
    whole.write_all(bytes).and_then(|()| whole.as_file().sync_all()).map_err(at(path))?;
    whole.persist_noclobber(path).map(|_| ()).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => ClientError::Occupied(path.to_owned()),
        _ => at(path)(error.error),
    })
}

fn at(path: &Path) -> impl Fn(io::Error) -> ClientError + '_ {
    move |error| ClientError::File { path: path.to_owned(), kind: error.kind() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoffice::v1::Content;

    const ID: &str = "0198f000-0000-7000-8000-00000000000a";

    fn kept() -> Message {
        Message {
            name: format!("messages/{ID}"),
            content: Some(Content {
                envelope: vec![].into(),
                signature: vec![2].into(),
                body_bytes: vec![3].into(),
                ..Content::default()
            }),
            ..Message::default()
        }
    }

    fn files(dir: &Path) -> Vec<String> {
        let mut found: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.strip_prefix(ID).unwrap().to_owned())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_message_is_kept_whole_and_keeping_it_again_is_harmless() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("in/box");
        folder(&dir).unwrap();
        folder(&dir).unwrap();
        let json = message(&dir, &kept()).unwrap();
        assert_eq!(message(&dir, &kept()).unwrap(), json);
        assert_eq!(files(&dir), [".body", ".envelope", ".json", ".p7s"]);
        assert_eq!(std::fs::read(dir.join(format!("{ID}.body"))).unwrap(), [3]);
    }

    #[test]
    fn what_stands_there_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let occupied = dir.path().join(format!("{ID}.p7s"));
        std::fs::write(&occupied, "mine").unwrap();
        assert_eq!(message(dir.path(), &kept()), Err(ClientError::Occupied(occupied.clone())));
        assert_eq!(std::fs::read(occupied).unwrap(), b"mine");
    }

    #[test]
    fn a_message_without_content_or_with_a_strange_name_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let nameless = Message { name: "messages/../x".into(), ..kept() };
        assert_eq!(message(dir.path(), &nameless), Err(ClientError::Answer("a message name")));
        let empty = Message { content: None, ..kept() };
        assert_eq!(message(dir.path(), &empty), Err(ClientError::Answer("the content")));
        assert!(files(dir.path()).is_empty());
    }

    #[test]
    fn a_body_that_was_never_produced_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let content = kept().content.map(|content| Content { unavailable: true, ..content });
        message(dir.path(), &Message { content, ..kept() }).unwrap();
        assert_eq!(files(dir.path()), [".envelope", ".json", ".p7s"]);
    }
}
