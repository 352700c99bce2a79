//! The raw bytes of an archive, walked once from the first to the last.
//!
//! The crate that unpacks reads the directory alone, others read the headers beside the files: an archive in which the two
//! differ is two archives. Here there is one reading, and no byte that is of no file.

use flate2::{Decompress, FlushDecompress, Status};

/// Marks of a local header, a directory entry and the end record.
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
/// Bytes that the two headers of a file have in common: from the version needed to the length of extra fields.
const COMMON_BYTES: usize = 26;
/// Bytes of the end record up to its comment's length.
const END_BYTES: usize = 20;
/// Deflate needs version 2.0 of the zip format, and nothing here needs more.
const VERSION_MAX: u16 = 20;
const FLAG_UTF8: u16 = 0x800;
const DEFLATED: u16 = 8;

/// Number of files in an archive that is given without its comment and the comment's length.
///
/// # Errors
/// What another reader could read differently.
pub(super) fn walk(archive: &[u8], file_bytes_max: usize) -> Result<usize, &'static str> {
    let cut = "it is cut short";
    let (rest, end) =
        archive.len().checked_sub(END_BYTES).and_then(|at| archive.split_at_checked(at)).ok_or(cut)?;
    let mut end = Reader(end);
    let marked = end.array() == Some(END) && end.number16() == Some(0) && end.number16() == Some(0);
    let (here, count) = (end.number16().ok_or(cut)?, end.number16().ok_or(cut)?);
    let (size, start) = (end.number32().ok_or(cut)?, end.number32().ok_or(cut)?);
    if !marked || here != count || start.checked_add(size) != Some(rest.len()) {
        return Err("its directory does not stand right before its end record");
    }
    let (files, directory) = rest.split_at_checked(start).ok_or(cut)?;
    let (mut files, mut directory) = (Reader(files), Reader(directory));
    for _ in 0..count {
        let offset = start.checked_sub(files.0.len()).ok_or(cut)?;
        file(&mut files, &mut directory, offset, file_bytes_max)?;
    }
    if files.0.is_empty() && directory.0.is_empty() {
        Ok(usize::from(count))
    } else {
        Err("it holds bytes that belong to no file")
    }
}

/// One entry of the directory and the file that must come next.
fn file(
    files: &mut Reader<'_>,
    directory: &mut Reader<'_>,
    offset: usize,
    file_bytes_max: usize,
) -> Result<(), &'static str> {
    let cut = "a file in it is cut short";
    let marked = directory.array() == Some(ENTRY) && directory.take(2).is_some();
    let common = directory.take(COMMON_BYTES).ok_or(cut)?;
    let header = Header::read(common).ok_or(cut)?;
    // No comment, the one disk; attributes of files are nobody's concern.
    let plain = directory.number16() == Some(0) && directory.number16() == Some(0);
    directory.take(6).ok_or(cut)?;
    let placed = directory.number32() == Some(offset);
    let name = directory.take(header.name_bytes).ok_or(cut)?;
    if !marked || !plain || !placed {
        return Err("a file in it does not stand where the one before ends, or has a comment");
    }
    let same = files.array() == Some(LOCAL)
        && files.take(COMMON_BYTES) == Some(common)
        && files.take(header.name_bytes) == Some(name);
    if !same {
        return Err("the two headers of a file in it differ");
    }
    if header.size > file_bytes_max {
        return Err("a file in it is too large");
    }
    let data = files.take(header.packed).ok_or(cut)?;
    let whole = match header.method {
        DEFLATED => inflates(data, header.size),
        _ => header.packed == header.size,
    };
    if whole { Ok(()) } else { Err("a file in it is not all of its packed bytes") }
}

/// What the two headers of a file say.
struct Header {
    method: u16,
    packed: usize,
    size: usize,
    name_bytes: usize,
}

impl Header {
    /// `None` for extra fields, sizes that follow the file, encryption and other ways of packing too.
    fn read(common: &[u8]) -> Option<Self> {
        let mut fields = Reader(common);
        let (version, flags, method) = (fields.number16()?, fields.number16()?, fields.number16()?);
        // Time and checksum: the crate compares the latter.
        fields.take(8)?;
        let (packed, size) = (fields.number32()?, fields.number32()?);
        let (name_bytes, extra) = (fields.number16()?.into(), fields.number16()?);
        let known = version <= VERSION_MAX && [0, FLAG_UTF8].contains(&flags);
        (known && [0, DEFLATED].contains(&method) && extra == 0).then_some(Self {
            method,
            packed,
            size,
            name_bytes,
        })
    }
}

/// Whether one deflate stream takes all of `data` and gives `size` bytes.
fn inflates(data: &[u8], size: usize) -> bool {
    // Room for a byte too many: it must not come.
    let mut out = Vec::with_capacity(size.saturating_add(1));
    let mut stream = Decompress::new(false);
    let ended = stream.decompress_vec(data, &mut out, FlushDecompress::Finish);
    matches!(ended, Ok(Status::StreamEnd)) && stream.total_in() == data.len() as u64 && out.len() == size
}

/// Takes fields off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn number32(&mut self) -> Option<usize> {
        self.array().map(u32::from_le_bytes)?.try_into().ok()
    }
}
