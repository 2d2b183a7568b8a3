//! Sentences of the samples with their translations, some of them wrong on purpose.

use crate::types::{Origin, Place, Problem, Record, SegmentRecord};

type Sentence = (Place, &'static str, &'static str, &'static [Problem]);

const FRENCH: &[Sentence] = &[
    (
        Place::Title,
        "Lyon ferme trois nouvelles rues aux voitures devant les écoles",
        "Lyon closes three more streets outside schools to cars",
        &[],
    ),
    (
        Place::Paragraph(0),
        "Le conseil municipal de Lyon a décidé jeudi de fermer aux voitures trois nouvelles rues \
         près des écoles à partir de septembre.",
        "The city council of Lyon voted on Thursday to close three more streets near schools to \
         cars from September.",
        &[],
    ),
    (
        Place::Paragraph(0),
        "Les associations de parents d'élèves réclamaient cette mesure depuis deux ans.",
        "Parents' associations had asked for the measure for two years.",
        &[],
    ),
    (
        Place::Paragraph(1),
        "L'adjoint aux transports a déclaré que la qualité de l'air dans les quartiers concernés \
         s'était améliorée de 14 % depuis les premières fermetures.",
        "The deputy mayor for transport said that air quality in the affected districts had \
         improved by 41 percent since the first closures.",
        &[Problem::Number],
    ),
    (
        Place::Paragraph(1),
        "Les commerçants craignent pour les livraisons.",
        "Shopkeepers fear for deliveries.",
        &[],
    ),
    (Place::Heading(2), "Ce qui change", "What changes", &[]),
    (
        Place::Item(3),
        "Les riverains gardent un accès avec un permis.",
        "Residents keep access with a permit.",
        &[],
    ),
    (
        Place::Item(4),
        "Les livraisons sont autorisées de 6 à 10 heures.",
        "Deliveries are allowed from 6 to 10 a.m.",
        &[],
    ),
    (
        Place::Item(5),
        "Le bus 27 est dévié par l'avenue Berthelot.",
        "The number 27 bus is rerouted through Avenue Berthelot.",
        &[],
    ),
    (
        Place::Paragraph(7),
        "« Nous ne sommes pas contre les voitures », a dit Claire Fontaine.",
        "“We are not against cars,” said Claire Fontaine.",
        &[],
    ),
    (
        Place::Paragraph(8),
        "Un premier bilan est prévu pour mars.",
        "A first assessment is planned for May.",
        &[Problem::Date],
    ),
];

const ARABIC: &[Sentence] = &[
    (
        Place::Title,
        "الأردن يبدأ بناء محطة تحلية المياه في العقبة الربيع المقبل",
        "Jordan to begin building the Aqaba desalination plant next spring",
        &[],
    ),
    (
        Place::Paragraph(0),
        "أعلنت وزارة المياه والري يوم الأحد أن العمل في محطة التحلية الجديدة في العقبة سيبدأ في \
         الربيع المقبل.",
        "The Ministry of Water and Irrigation announced on Sunday that work on the new \
         desalination plant in Aqaba will begin next spring.",
        &[],
    ),
    (
        Place::Paragraph(0),
        "ومن المقرر أن توفر المحطة 300 مليون متر مكعب من مياه الشرب سنويا.",
        "The plant is to supply 300 million cubic metres of drinking water a year.",
        &[],
    ),
    (
        Place::Paragraph(1),
        "وسينقل خط أنابيب طوله 450 كيلومترا المياه إلى عمان.",
        "A pipeline of 45 kilometres will carry the water to Amman.",
        &[Problem::Number],
    ),
    (
        Place::Paragraph(1),
        "وقال الوزير للصحفيين إن المشروع سيكون الأكبر من نوعه في البلاد.",
        "وقال الوزير للصحفيين إن المشروع سيكون الأكبر من نوعه في البلاد.",
        &[Problem::Copy],
    ),
];

const CHINESE: &[Sentence] = &[
    (
        Place::Title,
        "新高铁线路开通，两城之间车程缩短至四十分钟",
        "New high-speed line opens, cutting travel between the two cities to forty minutes",
        &[],
    ),
    (
        Place::Paragraph(0),
        "一条新的高速铁路线于周一上午开通。",
        "A new high-speed railway line opened on Monday morning.",
        &[],
    ),
    (
        Place::Paragraph(0),
        "首班列车于6时30分发车，载有1100名乘客。",
        "The first train left at 6:30 with 1,100 passengers on board.",
        &[],
    ),
    (
        Place::Paragraph(1),
        "两城之间的车程现在只需四十分钟，而不是两小时。",
        "The journey between the two cities now takes forty minutes instead of two hours.",
        &[Problem::Doubtful],
    ),
];

const HEBREW: &[Sentence] = &[
    (Place::Title, "Voters go to the polls in the capital", "הבוחרים בבירה הולכים לקלפיות", &[]),
    (
        Place::Paragraph(0),
        "Polling stations in the capital opened at seven in the morning.",
        "הקלפיות בבירה נפתחו בשבע בבוקר.",
        &[],
    ),
    (
        Place::Paragraph(0),
        "By noon, 31% of those eligible had voted, the election commission said.",
        "לפי ועדת הבחירות, עד הצהריים הצביעו 31% מבעלי זכות הבחירה.",
        &[],
    ),
];

const SPANISH: &[Sentence] = &[
    (
        Place::Title,
        "El último glaciar de Venezuela pierde su nombre",
        "Venezuela's last glacier loses its name",
        &[],
    ),
    (
        Place::Paragraph(0),
        "Los científicos ya no cuentan el glaciar Humboldt entre los glaciares, dijo Julio López.",
        "Scientists no longer count the Humboldt glacier among the glaciers, Julio López said.",
        &[],
    ),
    (
        Place::Paragraph(2),
        "Venezuela es así probablemente el primer país de los Andes que perdió todos.",
        "Venezuela is thus probably the first country in the Andes to have lost all of them.",
        &[],
    ),
];

/// The segments of a sample, where they are wanted.
pub(super) fn segments(record: &Record) -> Option<Vec<SegmentRecord>> {
    let sentences = match record.language.code.as_str() {
        "fr" => FRENCH,
        "ar" => ARABIC,
        "zh" => CHINESE,
        "es" => SPANISH,
        "en" if record.translation.is_some() => HEBREW,
        _ => return None,
    };
    let segment = |(place, source, target, problems): &Sentence| SegmentRecord {
        source: source.to_string(),
        target: target.to_string(),
        place: *place,
        language: None,
        confidence: problems.contains(&Problem::Doubtful).then_some(0.12),
        problems: problems.to_vec(),
        origin: Origin::Model,
    };
    Some(sentences.iter().map(segment).collect())
}
