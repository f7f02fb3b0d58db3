//! The first name of a client, when one can be told.

use unicode_normalization::char::is_combining_mark;

use crate::enquiry::Name;

/// What stands before a name, and is none. What has a full stop in it ("Cpl.", "Dott.ssa", an initial) need not be here.
const TITLES: &str = "\
    baroness brother canon capt captain chef cllr coach col colonel countess cpl dame datuk doctor doña dott dr father fr frau \
    fräulein haji hajj herr herrn hon hrh imam judge lady lord lt madam madame maître maj major master med messrs mevr \
    misc miss mister mlle mme monsieur mr mrs ms msgr mstr mudr mx nurse pan pani pc pfarrer prof professor pte rabbi rev \
    rev'd revd reverend rt señor señora sgt shri sig signor signora sir sister smt sr sra srta sheikh г-н г-жа господин \
    госпожа пан пані κα κος κυρία κύριος السيد السيدة الدكتور الدكتورة श्री श्रीमती ד\"ר";

/// What a field for a name begins with when it has something else in it: an article, a greeting, a relation, a family.
const OTHERS: &str = "\
    admin afternoon all and anon anonymous any aunt auntie behalf big bonjour booking both call carer ciao client \
    confidential couple couples customer dad daddy das daughter dear der die eheleute enquiry et evening existing \
    fam famiglia familia familie famille family firstname for former friend from gift good gran grandad grandfather \
    grandma grandmother granny guten hallo hello hey hi hiya hola household husband i i'm ich im it's its je jestem \
    just las later little los manager massage me mom morning mother mum mummy my myself name nanny nazywam \
    neighbour new nil no no-one nobody none not of office old on our owner parent parents partner patient państwo \
    please prefer previous private re reception receptionist recommended referred returning rodzina salut same \
    secretary some somebody someone sono soy surname tba tbc tbd team test tester testing thanks that the this three to two \
    uncle und unknown us voucher we wife with withheld x xx xxx yes you your здравствуйте мене меня привет привіт \
    родина семья сім'я я";

/// What follows a word that is no name: "guardian of Tom", "reception at the Grand", "as above", "full name", "rather not say".
const FOLLOWS_NO_NAME: &str =
    "above at before below client chiamo clients customer for me message name not of people to";

/// What shows that a family or a firm is meant, wherever it stands.
const NO_PERSON: &str =
    "department dept family gmbh household inc limited llp ltd massage plc services";

/// What a family's name begins with, in small letters: "van der Berg, Anna".
const PARTICLES: &str = "bin de del della den der dos du ibn la le ter van von zu";

/// What stands behind a comma and is no first name: "Smith, MBE".
const LETTERS_BEHIND_A_NAME: &str =
    "ba bsc esq esquire ii iii iv jnr jr junior ma mba mbe mcsp md msc obe phd rmt rn senior snr";

/// The client's first name, when it is harmless enough for a subject or a greeting (letters, apostrophe, hyphen, short) and is
/// one: "Jane" of "Mrs Jane Smith", and none of "Mrs Smith", "Dr", "the Smith family" or "Mum of Tom".
#[must_use]
pub fn first_name(name: &Name) -> Option<&str> {
    if let Some(first) = behind_the_comma(name.as_str()) {
        return Some(first);
    }
    let mut words = name.as_str().split_whitespace().peekable();
    let mut titled = false;
    while words.next_if(|word| is_title(word)).is_some() {
        titled = true;
    }
    let first = words.next()?;
    let is_of_no_person = words.clone().any(|word| is_one_of(NO_PERSON, word));
    let is_followed = words
        .peek()
        .is_some_and(|word| is_one_of(FOLLOWS_NO_NAME, word));
    // Behind a title, a single word is the family's name.
    let is_first = !(titled && words.peek().is_none() || is_of_no_person || is_followed);
    (is_first && is_first_name(first)).then_some(first)
}

/// "Jane" of "Smith, Jane": one comma, a family's name before it, and behind it names alone, in capital letters where the
/// script has them ("Jane, again" is none).
fn behind_the_comma(name: &str) -> Option<&str> {
    let (family, given) = name.split_once([',', '，', '،'])?;
    let mut family = family
        .split_whitespace()
        .skip_while(|word| is_title(word))
        .skip_while(|word| is_particle(&word.to_lowercase()));
    let is_family = family.next().is_some_and(is_first_name) && family.next().is_none();
    let mut given = given.split_whitespace().skip_while(|word| is_title(word));
    let first = given.next()?;
    let is_given = |word: &str| {
        !word.starts_with(char::is_lowercase)
            && is_harmless(word.trim_end_matches('.'))
            && ![OTHERS, NO_PERSON, FOLLOWS_NO_NAME, LETTERS_BEHIND_A_NAME]
                .iter()
                .any(|words| is_one_of(words, word))
    };
    (is_family && is_first_name(first) && is_given(first) && given.all(is_given)).then_some(first)
}

/// A title, or what is written with a full stop and is no name.
fn is_title(word: &str) -> bool {
    is_one_of(TITLES, word) || word.contains('.')
}

fn is_particle(word: &str) -> bool {
    PARTICLES.split(' ').any(|it| it == word)
}

/// Whether this word can be a name: of a person, and harmless.
fn is_first_name(word: &str) -> bool {
    let possessive = word.ends_with("'s") || word.ends_with("’s");
    !(possessive || is_one_of(OTHERS, word) || is_particle(word) || is_initials(word))
        && is_harmless(word)
}

/// A single letter of an alphabet (a Chinese character is a name), or capitals without a vowel, such as "JK".
fn is_initials(word: &str) -> bool {
    let mut letters = word.chars();
    let single =
        matches!((letters.next(), letters.next()), (Some(letter), None) if letter < '\u{590}');
    let vowel = |c| matches!(c, b'A' | b'E' | b'I' | b'O' | b'U' | b'Y');
    single || word.bytes().all(|c| c.is_ascii_uppercase() && !vowel(c))
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
            // Ranks, callings, and titles of other languages.
            ("Rt Hon Jane Doe", Some("Jane")),
            ("Lt. Col. James Hardy", Some("James")),
            ("Captain Hardy", None),
            ("Rev. Canon Peter Lane", Some("Peter")),
            ("Father Michael Burke", Some("Michael")),
            ("Rabbi David Cohen", Some("David")),
            ("PC Bob Brown", Some("Bob")),
            ("Dr.med. Petra Klein", Some("Petra")),
            ("Dipl.-Ing. Karl Weber", Some("Karl")),
            ("Dott.ssa Giulia Bianchi", Some("Giulia")),
            ("M. Jean Dupont", Some("Jean")),
            ("Sr. Juan Pérez", Some("Juan")),
            ("Pan Jan Kowalski", Some("Jan")),
            ("Г-н Иван Петров", Some("Иван")),
            ("د. أحمد علي", Some("أحمد")),
            ("श्रीमती अनीता देसाई", Some("अनीता")),
            ("Prince Owusu", Some("Prince")),
            ("Don Reed", Some("Don")),
            ("Will Smith", Some("Will")),
            // What is said instead of a name.
            ("Guardian of Tom", None),
            ("Father of Lily", None),
            ("PA to Jane Smith", None),
            ("Reception at the Grand", None),
            ("Booking for Ann Smith", None),
            ("Existing client Jane", None),
            ("New client", None),
            ("as above", None),
            ("prefer not to say", None),
            ("call me Jane", None),
            ("Full name", None),
            ("Nobody", None),
            ("Ich bin Anna", None),
            ("Soy Ana", None),
            ("меня зовут Иван", None),
            ("Couple", None),
            ("Example Cleaning Services", None),
            // The family's name first.
            ("Smith, Jane", Some("Jane")),
            ("SMITH, Jane", Some("Jane")),
            ("SMITH,JANE", Some("JANE")),
            ("Smith , Jane M.", Some("Jane")),
            ("Smith, Mrs Jane", Some("Jane")),
            ("Smith, Mrs. Jane Anne", Some("Jane")),
            ("Dr Okafor, Chidi", Some("Chidi")),
            ("O'Brien, Seán", Some("Seán")),
            ("O’Neill-Hart, Mary-Kate", Some("Mary-Kate")),
            ("de la Cruz, Maria", Some("Maria")),
            ("De La Cruz, Maria", Some("Maria")),
            ("van der Berg, Anna", Some("Anna")),
            ("Иванова, Ольга", Some("Ольга")),
            ("王，芳", Some("芳")),
            ("Smith, Ltd", None),
            ("Smith, Mrs", None),
            ("Smith, Mrs J", None),
            ("Smith, J.", None),
            ("Smith, MBE", None),
            ("Smith, Jr", None),
            ("Smith, Jane & John", None),
            ("Smith, Jane and John", None),
            ("Smith, Mr and Mrs", None),
            ("Smith, Jane, London", None),
            ("Jane, thanks", None),
            ("Jane, again", None),
            ("Jane, mum of Tom", None),
            ("Jane, 42", None),
            ("Hello, Jane", None),
            ("Reception, Grand Hotel", None),
            ("Jane Smith, Leeds", Some("Jane")),
            ("Van Reed", Some("Van")),
            ("JK Rowan", None),
            ("Ó Briain", None),
            ("JO", Some("JO")),
            ("Ng", Some("Ng")),
        ] {
            assert_eq!(first_name(&Name::parse(name).unwrap()), first, "{name}");
        }
    }
}
