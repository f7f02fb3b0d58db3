//! The first name of a client, when one can be told.

use unicode_normalization::char::is_combining_mark;

use crate::enquiry::Name;

/// What stands before a name, and is none.
const TITLES: &str = "\
    capt cllr dame doctor dott dr fr frau fräulein herr lady lord lt madam madame med mevr miss mister mlle mme \
    monsieur mr mrs ms msgr mx pani prof professor rev revd reverend señor señora sgt signor signora sir sra г-жа \
    пан пані";

/// What a field for a name begins with when it has something else in it: an article, a greeting, a relation, a family.
const OTHERS: &str = "\
    admin afternoon all and anon anonymous any aunt auntie behalf bonjour brother carer ciao client customer dad \
    daddy das daughter dear der die enquiry et evening famiglia familia familie famille family father for friend \
    from good gran grandad grandfather grandma grandmother granny guten hallo hello hey hi hiya hola household \
    husband i i'm im it's its just manager massage me mom morning mother mum mummy my myself name nanny \
    neighbour nil no none not on our owner parent parents partner patient please re rodzina salut secretary \
    sister some someone team test thanks that the this to uncle und unknown us we wife with x xx xxx \
    yes you your здравствуйте привет привіт родина семья сім'я";

/// The client's first name, when it is harmless enough for a subject or a greeting (letters, apostrophe, hyphen, short) and is
/// one: "Jane" of "Mrs Jane Smith", and none of "Mrs Smith", "Dr", "the Smith family" or "Mum of Tom".
#[must_use]
pub fn first_name(name: &Name) -> Option<&str> {
    let mut words = name.as_str().split_whitespace().peekable();
    let mut titled = false;
    while words.next_if(|word| is_one_of(TITLES, word)).is_some() {
        titled = true;
    }
    let first = words.next()?;
    let is_a_family = words
        .clone()
        .any(|word| is_one_of("family household", word));
    // Behind a title, a single word is the family's name.
    let is_first = !(titled && words.peek().is_none() || is_a_family || is_one_of(OTHERS, first));
    let initial = first.len() == 1;
    let possessive = first.ends_with("'s") || first.ends_with("’s");
    (is_first && !initial && !possessive && is_harmless(first)).then_some(first)
}

fn is_one_of(words: &str, word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', ':', '!']);
    let word = word.to_lowercase().replace('’', "'");
    words.split(' ').any(|it| it == word)
}

fn is_harmless(word: &str) -> bool {
    word.chars().count() <= 20
        && word.chars().next().is_some_and(char::is_alphabetic)
        && word
            .chars()
            .all(|c| c.is_alphabetic() || is_combining_mark(c) || matches!(c, '\'' | '’' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_harmless_first_name_is_used() {
        for (name, first) in [
            ("Zoë Brontë", Some("Zoë")),
            ("O’Brien", Some("O’Brien")),
            ("Anne-Marie", Some("Anne-Marie")),
            ("李 小龍", Some("李")),
            ("<b>Zoë", None),
            ("$$$ win", None),
            ("www.example.com", None),
            ("-", None),
            ("Aaaaaaaaaaaaaaaaaaaaa", None),
            ("R2D2", None),
        ] {
            assert_eq!(first_name(&Name::parse(name).unwrap()), first, "{name}");
        }
    }

    #[test]
    fn titles_articles_greetings_and_families_are_no_first_names() {
        for (name, first) in [
            ("Mrs Jane Smith", Some("Jane")),
            ("MRS. JANE SMITH", Some("JANE")),
            ("Prof. Dr. med. Hans Meier", Some("Hans")),
            ("Dr Anne-Marie O'Neill", Some("Anne-Marie")),
            ("Sir Ian McTavish", Some("Ian")),
            ("Frau Petra Vogel", Some("Petra")),
            ("Пані Оксана Бондар", Some("Оксана")),
            ("An Nguyen", Some("An")),
            ("Les Dunn", Some("Les")),
            ("Dean Archer", Some("Dean")),
            ("Earl Grant", Some("Earl")),
            ("Hope", Some("Hope")),
            ("Jane Smith (Mrs)", Some("Jane")),
            ("Mrs Smith", None),
            ("Dr", None),
            ("Mr & Mrs Smith", None),
            ("Mr and Mrs Smith", None),
            ("Mrs J Smith", None),
            ("J Smith", None),
            ("J. Smith", None),
            ("Mum of Tom", None),
            ("Tom's mum", None),
            ("Tom’s Mum", None),
            ("The Smith family", None),
            ("Smith family", None),
            ("Familie Vogel", None),
            ("The Smiths", None),
            ("Hi, I'm Jane", None),
            ("Hello there", None),
            ("Good morning", None),
            ("My name is Jane", None),
            ("I’m Jane", None),
            ("On behalf of Jane Smith", None),
            ("Anonymous", None),
            ("test", None),
            ("no name", None),
        ] {
            assert_eq!(first_name(&Name::parse(name).unwrap()), first, "{name}");
        }
    }
}
