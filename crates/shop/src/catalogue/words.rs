//! The words that product names are made of, in Traditional Chinese and English.

use double11_store::Category;

/// A word in Chinese and in English.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word(pub(super) &'static str, pub(super) &'static str);

/// What products of one category are called and cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vocabulary {
    pub(super) kinds: &'static [Word],
    pub(super) attributes: &'static [Word],
    /// Median price in major units. The five medians are such that the median of the whole
    /// catalogue lies in the range of amounts that the requirements' client pays (50 to 500).
    pub(super) price_median: f64,
}

pub(super) fn vocabulary(category: Category) -> Vocabulary {
    match category {
        Category::Phones => Vocabulary {
            kinds: &PHONES,
            attributes: &DEVICE,
            price_median: 900.0,
        },
        Category::Clothing => Vocabulary {
            kinds: &CLOTHING,
            attributes: &TEXTILE,
            price_median: 160.0,
        },
        Category::Appliances => Vocabulary {
            kinds: &APPLIANCES,
            attributes: &HOUSEHOLD,
            price_median: 420.0,
        },
        Category::Beauty => Vocabulary {
            kinds: &BEAUTY,
            attributes: &CARE,
            price_median: 130.0,
        },
        Category::Digital => Vocabulary {
            kinds: &DIGITAL,
            attributes: &DEVICE,
            price_median: 260.0,
        },
    }
}

pub(super) const BRANDS: [Word; 36] = [
    Word("星嵐", "Starmist"),
    Word("雲岫", "Cloudpass"),
    Word("沐光", "Lumora"),
    Word("青穗", "Greenspike"),
    Word("拓野", "Wildtrek"),
    Word("鯨嶼", "Whaleisle"),
    Word("曜川", "Raybrook"),
    Word("逐嵐", "Chasemist"),
    Word("晴嶼木", "Sunwood"),
    Word("凜溪", "Frostrill"),
    Word("梧影", "Planeshade"),
    Word("鹿語", "Deertale"),
    Word("栗舟", "Chestnutboat"),
    Word("白榆", "Whitelm"),
    Word("潮汐里", "Tidelane"),
    Word("墨川", "Inkriver"),
    Word("橙野", "Orangefield"),
    Word("霽月", "Clearmoon"),
    Word("松間", "Pinegap"),
    Word("海萊", "Heliq"),
    Word("極昀", "Jivon"),
    Word("森予", "Sylvo"),
    Word("渺雲", "Farcloud"),
    Word("燈塔灣", "Beaconbay"),
    Word("玖禾", "Ninegrain"),
    Word("知微", "Subtila"),
    Word("頌安", "Songan"),
    Word("衡石", "Evenstone"),
    Word("朗境", "Brightmere"),
    Word("隱山", "Hidehill"),
    Word("流螢", "Glowfly"),
    Word("千帆渡", "Thousandsail"),
    Word("綠岬", "Greencape"),
    Word("初棠", "Firstcrab"),
    Word("硯池", "Inkpool"),
    Word("風鈴渡", "Windbell"),
];

const PHONES: [Word; 10] = [
    Word("智慧手機", "Smartphone"),
    Word("旗艦手機", "Flagship Phone"),
    Word("摺疊手機", "Foldable Phone"),
    Word("遊戲手機", "Gaming Phone"),
    Word("拍照手機", "Camera Phone"),
    Word("三防手機", "Rugged Phone"),
    Word("長輩手機", "Senior Phone"),
    Word("商務手機", "Business Phone"),
    Word("學生手機", "Student Phone"),
    Word("音樂手機", "Music Phone"),
];

const CLOTHING: [Word; 16] = [
    Word("羽絨外套", "Down Jacket"),
    Word("牛仔褲", "Jeans"),
    Word("連身裙", "Dress"),
    Word("針織衫", "Sweater"),
    Word("襯衫", "Shirt"),
    Word("運動鞋", "Sneakers"),
    Word("風衣", "Trench Coat"),
    Word("帽子", "Hat"),
    Word("圍巾", "Scarf"),
    Word("襪子", "Socks"),
    Word("西裝", "Suit"),
    Word("休閒褲", "Trousers"),
    Word("短袖上衣", "T-Shirt"),
    Word("睡衣", "Pyjamas"),
    Word("皮帶", "Belt"),
    Word("半身裙", "Skirt"),
];

const APPLIANCES: [Word; 16] = [
    Word("氣炸鍋", "Air Fryer"),
    Word("掃地機器人", "Robot Vacuum"),
    Word("電鍋", "Rice Cooker"),
    Word("咖啡機", "Coffee Machine"),
    Word("空氣清淨機", "Air Purifier"),
    Word("除濕機", "Dehumidifier"),
    Word("吹風機", "Hair Dryer"),
    Word("電風扇", "Electric Fan"),
    Word("微波爐", "Microwave Oven"),
    Word("洗碗機", "Dishwasher"),
    Word("電熱水壺", "Electric Kettle"),
    Word("果汁機", "Blender"),
    Word("吸塵器", "Vacuum Cleaner"),
    Word("烤箱", "Oven"),
    Word("加濕器", "Humidifier"),
    Word("電暖器", "Heater"),
];

const BEAUTY: [Word; 16] = [
    Word("面膜", "Face Mask"),
    Word("精華液", "Serum"),
    Word("口紅", "Lipstick"),
    Word("防曬乳", "Sunscreen"),
    Word("洗面乳", "Face Wash"),
    Word("乳液", "Lotion"),
    Word("眼霜", "Eye Cream"),
    Word("粉底液", "Foundation"),
    Word("卸妝油", "Cleansing Oil"),
    Word("香水", "Perfume"),
    Word("睫毛膏", "Mascara"),
    Word("眉筆", "Eyebrow Pencil"),
    Word("化妝水", "Toner"),
    Word("護手霜", "Hand Cream"),
    Word("洗髮精", "Shampoo"),
    Word("腮紅", "Blush"),
];

const DIGITAL: [Word; 16] = [
    Word("藍牙耳機", "Bluetooth Earbuds"),
    Word("機械鍵盤", "Mechanical Keyboard"),
    Word("無線滑鼠", "Wireless Mouse"),
    Word("行動電源", "Power Bank"),
    Word("平板電腦", "Tablet"),
    Word("智慧手錶", "Smart Watch"),
    Word("隨身碟", "Flash Drive"),
    Word("固態硬碟", "Solid State Drive"),
    Word("顯示器", "Monitor"),
    Word("網路攝影機", "Webcam"),
    Word("路由器", "Router"),
    Word("投影機", "Projector"),
    Word("麥克風", "Microphone"),
    Word("喇叭", "Speaker"),
    Word("充電器", "Charger"),
    Word("筆記型電腦", "Laptop"),
];

const DEVICE: [Word; 12] = [
    Word("輕薄", "Slim"),
    Word("長續航", "Long-Life"),
    Word("快充", "Fast-Charge"),
    Word("防水", "Waterproof"),
    Word("曜石黑", "Obsidian"),
    Word("冰川藍", "Glacier Blue"),
    Word("月光白", "Moon White"),
    Word("專業版", "Professional"),
    Word("青春版", "Youth"),
    Word("降噪", "Noise-Cancelling"),
    Word("高畫質", "High-Definition"),
    Word("限量版", "Limited"),
];

const TEXTILE: [Word; 12] = [
    Word("純棉", "Cotton"),
    Word("羊毛", "Wool"),
    Word("寬鬆", "Loose"),
    Word("修身", "Slim-Fit"),
    Word("透氣", "Breathable"),
    Word("保暖", "Warm"),
    Word("復古", "Vintage"),
    Word("刷毛", "Fleece"),
    Word("涼感", "Cooling"),
    Word("防風", "Windproof"),
    Word("刺繡", "Embroidered"),
    Word("百搭", "Everyday"),
];

const HOUSEHOLD: [Word; 12] = [
    Word("變頻", "Inverter"),
    Word("靜音", "Quiet"),
    Word("節能", "Energy-Saving"),
    Word("大容量", "Large"),
    Word("迷你", "Mini"),
    Word("多功能", "Multi-Purpose"),
    Word("不鏽鋼", "Stainless"),
    Word("智慧型", "Smart"),
    Word("手持", "Handheld"),
    Word("觸控", "Touch"),
    Word("定時", "Timer"),
    Word("家用", "Home"),
];

const CARE: [Word; 12] = [
    Word("保濕", "Moisturising"),
    Word("美白", "Brightening"),
    Word("抗皺", "Anti-Wrinkle"),
    Word("溫和", "Gentle"),
    Word("清爽", "Fresh"),
    Word("持久", "Long-Wear"),
    Word("玫瑰", "Rose"),
    Word("綠茶", "Green Tea"),
    Word("胺基酸", "Amino Acid"),
    Word("玻尿酸", "Hyaluronic"),
    Word("無香料", "Fragrance-Free"),
    Word("控油", "Oil-Control"),
];
