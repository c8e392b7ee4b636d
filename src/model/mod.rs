//! How trained weights are stored, loaded and versioned.
//!
//! A model file is a header (magic, format, name, version) and named sections of raw
//! little-endian numbers or bytes, aligned to 8 bytes, followed by nothing. Its digest is the SHA-256 of
//! the whole file. Files are compiled into the binary from `models/`, so that there is
//! nothing to download or to lose.

pub mod linear;
pub mod svd;
pub mod table;
pub mod trees;

use std::borrow::Cow;

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"copydesk";
const FORMAT: u32 = 1;

/// What a model is called and exactly which weights it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    pub name: String,
    pub version: String,
    /// `sha256:` and 64 hexadecimal digits, over the whole file.
    pub digest: String,
}

/// Why a file is not a usable model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelError {
    #[error("not a copydesk model file")]
    NotAModel,
    #[error("model format {0} is not known to this version")]
    Format(u32),
    #[error("the model file is cut off or damaged at byte {0}")]
    Damaged(usize),
    #[error("the model has no section {0:?}")]
    MissingSection(String),
    #[error("section {section:?} has {found} bytes, not a whole number of {width}-byte values")]
    SectionSize { section: String, found: usize, width: usize },
}

/// A model file read into its sections, borrowed from `bytes`.
pub struct ModelFile<'a> {
    info: ModelInfo,
    sections: Vec<(&'a str, &'a [u8])>,
}

impl<'a> ModelFile<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(8).map_err(|_| ModelError::NotAModel)? != MAGIC {
            return Err(ModelError::NotAModel);
        }
        let format = reader.u32()?;
        if format != FORMAT {
            return Err(ModelError::Format(format));
        }
        let name = reader.text()?.to_owned();
        let version = reader.text()?.to_owned();
        let count = reader.u32()?;
        let mut sections = Vec::new();
        for _ in 0..count {
            let section = reader.text()?;
            let length = reader.u32()? as usize;
            reader.align()?;
            sections.push((section, reader.take(length)?));
        }
        if reader.at != bytes.len() {
            return Err(ModelError::Damaged(reader.at));
        }
        Ok(Self { info: ModelInfo { name, version, digest: digest(bytes) }, sections })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// A section's bytes.
    pub fn bytes(&self, section: &str) -> Result<&'a [u8], ModelError> {
        self.sections
            .iter()
            .find(|(name, _)| *name == section)
            .map(|(_, bytes)| *bytes)
            .ok_or_else(|| ModelError::MissingSection(section.to_owned()))
    }

    pub fn f32s(&self, section: &str) -> Result<Vec<f32>, ModelError> {
        Ok(self.words::<4>(section)?.map(f32::from_le_bytes).collect())
    }

    pub fn u32s(&self, section: &str) -> Result<Vec<u32>, ModelError> {
        Ok(self.words::<4>(section)?.map(u32::from_le_bytes).collect())
    }

    pub fn u16s(&self, section: &str) -> Result<Vec<u16>, ModelError> {
        Ok(self.words::<2>(section)?.map(u16::from_le_bytes).collect())
    }

    pub fn i16s(&self, section: &str) -> Result<Vec<i16>, ModelError> {
        Ok(self.words::<2>(section)?.map(i16::from_le_bytes).collect())
    }

    pub fn i8s(&self, section: &str) -> Result<Vec<i8>, ModelError> {
        Ok(self.bytes(section)?.iter().map(|&byte| byte.cast_signed()).collect())
    }

    /// A section of texts, one a line.
    pub fn lines(&self, section: &str) -> Result<impl Iterator<Item = &'a str> + use<'a>, ModelError> {
        let bytes = self.bytes(section)?;
        std::str::from_utf8(bytes).map(str::lines).map_err(|error| ModelError::Damaged(error.valid_up_to()))
    }

    fn words<const N: usize>(
        &self,
        section: &str,
    ) -> Result<impl Iterator<Item = [u8; N]> + use<'a, N>, ModelError> {
        let (words, rest) = self.bytes(section)?.as_chunks::<N>();
        if !rest.is_empty() {
            let found = words.len() * N + rest.len();
            return Err(ModelError::SectionSize { section: section.to_owned(), found, width: N });
        }
        Ok(words.iter().copied())
    }
}

/// Builds a model file. The same sections give the same bytes.
pub struct ModelWriter<'a> {
    name: &'a str,
    version: &'a str,
    sections: Vec<(&'a str, Cow<'a, [u8]>)>,
}

impl<'a> ModelWriter<'a> {
    pub fn new(name: &'a str, version: &'a str) -> Self {
        Self { name, version, sections: Vec::new() }
    }

    pub fn bytes(&mut self, section: &'a str, bytes: impl Into<Cow<'a, [u8]>>) -> &mut Self {
        self.sections.push((section, bytes.into()));
        self
    }

    pub fn f32s(&mut self, section: &'a str, values: &[f32]) -> &mut Self {
        self.bytes(section, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    pub fn u32s(&mut self, section: &'a str, values: &[u32]) -> &mut Self {
        self.bytes(section, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    pub fn u16s(&mut self, section: &'a str, values: &[u16]) -> &mut Self {
        self.bytes(section, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    pub fn i16s(&mut self, section: &'a str, values: &[i16]) -> &mut Self {
        self.bytes(section, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    pub fn i8s(&mut self, section: &'a str, values: &[i8]) -> &mut Self {
        self.bytes(section, values.iter().map(|value| value.cast_unsigned()).collect::<Vec<u8>>())
    }

    /// A section of texts; none may hold a line feed.
    pub fn lines<S: AsRef<str>>(
        &mut self,
        section: &'a str,
        lines: impl IntoIterator<Item = S>,
    ) -> &mut Self {
        let mut text = String::new();
        for line in lines {
            debug_assert!(!line.as_ref().contains('\n'));
            text.push_str(line.as_ref());
            text.push('\n');
        }
        self.bytes(section, text.into_bytes())
    }

    /// The whole file.
    ///
    /// # Panics
    /// If a section is 4 GiB or longer.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        put_text(&mut out, self.name);
        put_text(&mut out, self.version);
        put_length(&mut out, self.sections.len());
        for (name, bytes) in &self.sections {
            put_text(&mut out, name);
            put_length(&mut out, bytes.len());
            out.resize(out.len().next_multiple_of(8), 0);
            out.extend_from_slice(bytes);
        }
        out
    }
}

/// `sha256:` and the digest of `bytes` in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::from("sha256:"), |text, byte| format!("{text}{byte:02x}"))
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    // Trainers alone write models, and theirs are some megabytes.
    let length = u32::try_from(length).expect("a model section is shorter than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ModelError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(ModelError::Damaged(self.at))?;
        self.at += length;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, ModelError> {
        let at = self.at;
        let bytes = self.take(4)?.try_into().map_err(|_| ModelError::Damaged(at))?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn text(&mut self) -> Result<&'a str, ModelError> {
        let at = self.at;
        let length = self.u32()? as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| ModelError::Damaged(at))
    }

    fn align(&mut self) -> Result<(), ModelError> {
        let padding = self.at.next_multiple_of(8) - self.at;
        self.take(padding).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut writer = ModelWriter::new("toy", "1");
        writer.f32s("weights", &[0.5, -1.25]).lines("words", ["alpha", "beta"]).i8s("small", &[-3, 4, 5]);
        writer.finish()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let bytes = file();
        let model = ModelFile::parse(&bytes).unwrap();
        assert_eq!(model.info().name, "toy");
        assert_eq!(model.f32s("weights").unwrap(), [0.5, -1.25]);
        assert_eq!(model.lines("words").unwrap().collect::<Vec<_>>(), ["alpha", "beta"]);
        assert_eq!(model.i8s("small").unwrap(), [-3, 4, 5]);
        assert_eq!(model.bytes("none").unwrap_err(), ModelError::MissingSection("none".into()));
        assert!(matches!(model.f32s("small"), Err(ModelError::SectionSize { found: 3, .. })));
    }

    #[test]
    fn a_damaged_file_is_an_error_wherever_it_is_cut() {
        let bytes = file();
        for length in 0..bytes.len() {
            assert!(ModelFile::parse(&bytes[..length]).is_err(), "cut at {length}");
        }
        assert!(matches!(ModelFile::parse(b"something else"), Err(ModelError::NotAModel)));
    }
}
