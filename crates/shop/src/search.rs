//! Search by word (lever `search-index`): an inverted index with Chinese word segmentation.
//!
//! A name is split into runs of Chinese and runs of ASCII letters and digits. A Chinese run is found
//! by itself whole, by each word that jieba sees in it and by each of its characters; an ASCII run by
//! itself and by each of its beginnings of two letters or more, whatever the case. A query finds the
//! products that have all of its runs. The baseline's `LIKE` finds substrings instead;
//! `docs/API.md` shows the difference.

mod dictionary;

use std::collections::HashMap;

use double11_store::Product;
use jieba_rs::Jieba;

/// The shortest beginning of an ASCII word that finds it.
const PREFIX_MIN: usize = 2;
/// The longest beginning that is kept apart from the whole word.
const PREFIX_MAX: usize = 8;

/// Words, and the positions in the catalogue of the products that have them.
pub(crate) struct SearchIndex {
    segmenter: Jieba,
    terms: HashMap<Box<str>, usize>,
    /// Ascending positions, by term.
    postings: Vec<Vec<u32>>,
}

/// What a query found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hits {
    /// How many products match.
    pub(crate) total: u64,
    /// The positions of the first of them, ascending.
    pub(crate) positions: Vec<u32>,
}

impl Hits {
    const NONE: Self = Self {
        total: 0,
        positions: Vec::new(),
    };
}

impl SearchIndex {
    /// Indexes names and categories. Takes seconds for 100,000 products: run it off the event loop.
    pub(crate) fn build(products: &[Product]) -> Self {
        let mut segmenter = Jieba::new();
        for word in dictionary::WORDS {
            segmenter.add_word(word, None, None);
        }
        let mut index = Self {
            segmenter,
            terms: HashMap::new(),
            postings: Vec::new(),
        };
        // Names are made of few words, so that segmenting each distinct run once is enough.
        let mut known_runs: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, product) in (0_u32..).zip(products) {
            for text in [&*product.name, &*product.name_en, product.category.name()] {
                for run in runs(text) {
                    if !known_runs.contains_key(&run) {
                        let terms = index.terms_of_run(&run);
                        known_runs.insert(run.clone(), terms);
                    }
                    for term in &known_runs[&run] {
                        let posting = &mut index.postings[*term];
                        if posting.last() != Some(&position) {
                            posting.push(position);
                        }
                    }
                }
            }
        }
        index.postings.iter_mut().for_each(Vec::shrink_to_fit);
        index
    }

    /// The products that have every word of the query, at most `limit` of them by position.
    pub(crate) fn find(&self, query: &str, limit: usize) -> Hits {
        let mut postings: Vec<&[u32]> = Vec::new();
        for run in runs(query) {
            if !self.add_postings(&run, &mut postings) {
                return Hits::NONE;
            }
        }
        postings.sort_unstable_by_key(|posting| posting.len());
        match postings.split_first() {
            None => Hits::NONE,
            Some((only, [])) => Hits {
                total: only.len() as u64,
                positions: only[..only.len().min(limit)].to_vec(),
            },
            Some((shortest, others)) => intersect(shortest, others, limit),
        }
    }

    /// The postings that a run of the query asks for; false when some word of it is unknown.
    fn add_postings<'index>(&'index self, run: &str, found: &mut Vec<&'index [u32]>) -> bool {
        if let Some(term) = self.terms.get(run) {
            found.push(&self.postings[*term]);
            return true;
        }
        if run.is_ascii() {
            return false;
        }
        self.segmenter
            .cut(run, true)
            .iter()
            .all(|token| match self.terms.get(token.word) {
                Some(term) => {
                    found.push(&self.postings[*term]);
                    true
                }
                None => false,
            })
    }

    fn terms_of_run(&mut self, run: &str) -> Vec<usize> {
        let mut words: Vec<String> = vec![run.to_owned()];
        if run.is_ascii() {
            let longest = run.len().saturating_sub(1).min(PREFIX_MAX);
            words
                .extend((PREFIX_MIN..=longest).filter_map(|end| run.get(..end).map(str::to_owned)));
        } else {
            let tokens = self.segmenter.cut_for_search(run, true);
            words.extend(tokens.into_iter().map(|token| token.word.to_owned()));
            words.extend(run.chars().map(String::from));
        }
        words.sort_unstable();
        words.dedup();
        words.into_iter().map(|word| self.term(word)).collect()
    }

    fn term(&mut self, word: String) -> usize {
        let next = self.postings.len();
        let term = *self.terms.entry(word.into_boxed_str()).or_insert(next);
        if term == next {
            self.postings.push(Vec::new());
        }
        term
    }
}

/// The words of a text as they can be read off its characters: maximal runs of ASCII letters and
/// digits, in lower case, and maximal runs of other letters. Full-width forms count as ASCII.
fn runs(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    for character in text.chars().map(narrow) {
        let joins = character.is_alphanumeric()
            && run
                .chars()
                .next_back()
                .is_none_or(|last| last.is_ascii() == character.is_ascii());
        if !joins && !run.is_empty() {
            runs.push(std::mem::take(&mut run));
        }
        if character.is_alphanumeric() {
            run.push(character.to_ascii_lowercase());
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

/// The ASCII form of a full-width character. Source: Unicode block FF00, forms FF01..FF5E.
fn narrow(character: char) -> char {
    match u32::from(character) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(character),
        _ => character,
    }
}

fn intersect(shortest: &[u32], others: &[&[u32]], limit: usize) -> Hits {
    let mut rests: Vec<&[u32]> = others.to_vec();
    let mut hits = Hits::NONE;
    'candidates: for position in shortest {
        for rest in &mut rests {
            *rest = &rest[gallop(rest, *position)..];
            match rest.first() {
                None => break 'candidates,
                Some(first) if first == position => {}
                Some(_) => continue 'candidates,
            }
        }
        hits.total += 1;
        if hits.positions.len() < limit {
            hits.positions.push(*position);
        }
    }
    hits
}

/// Index of the first element that is not below `wanted`: doubling steps, then a binary search, so
/// that both dense and sparse lists are cheap.
fn gallop(list: &[u32], wanted: u32) -> usize {
    let mut step = 1;
    while step < list.len() && list[step] < wanted {
        step *= 2;
    }
    let start = step / 2;
    let end = (step + 1).min(list.len());
    start + list[start..end].partition_point(|position| *position < wanted)
}

#[cfg(test)]
mod tests;
