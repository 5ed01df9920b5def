"""The cities of IANA time zones, as they are spelled today and in each language of the catalogues.

IANA keeps names for decades ("Calcutta"), in English and without accents. The names here are those
of Unicode's CLDR; a city that is not listed has one name in all of these languages.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import get_language


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in " ".join(text.split()).split("; "))


ALIASES = _pairs("""
Australia/ACT=Canberra; Australia/LHI=Lord Howe; Australia/NSW=Sydney; Australia/North=Darwin;
Australia/Queensland=Brisbane; Australia/South=Adelaide; Australia/Tasmania=Hobart;
Australia/Victoria=Melbourne; Australia/West=Perth; Australia/Yancowinna=Broken Hill;
Brazil/Acre=Rio Branco; Brazil/DeNoronha=Noronha; Brazil/East=Sao Paulo; Brazil/West=Manaus;
CST6CDT=Chicago; Canada/Atlantic=Halifax; Canada/Central=Winnipeg; Canada/Eastern=Toronto;
Canada/Mountain=Edmonton; Canada/Newfoundland=St Johns; Canada/Pacific=Vancouver;
Canada/Saskatchewan=Regina; Canada/Yukon=Whitehorse; Chile/Continental=Santiago;
Chile/EasterIsland=Easter; Cuba=Havana; EST5EDT=New York; Egypt=Cairo; Eire=Dublin; GB=London;
GB-Eire=London; Hongkong=Hong Kong; Iceland=Reykjavik; Iran=Tehran; Israel=Jerusalem;
Jamaica=Jamaica; Japan=Tokyo; Kwajalein=Kwajalein; Libya=Tripoli; MST7MDT=Denver;
Mexico/BajaNorte=Tijuana; Mexico/BajaSur=Mazatlan; Mexico/General=Mexico City; NZ=Auckland;
NZ-CHAT=Chatham; Navajo=Denver; PRC=Shanghai; PST8PDT=Los Angeles; Poland=Warsaw; Portugal=Lisbon;
ROC=Taipei; ROK=Seoul; Singapore=Singapore; Turkey=Istanbul; US/Alaska=Anchorage;
US/Aleutian=Adak; US/Arizona=Phoenix; US/Central=Chicago; US/East-Indiana=Indianapolis;
US/Eastern=New York; US/Hawaii=Honolulu; US/Indiana-Starke=Knox; US/Michigan=Detroit;
US/Mountain=Denver; US/Pacific=Los Angeles; W-SU=Moscow
""")
"""Zones whose name is not that of a city, and a city of each."""

ENGLISH = _pairs("""
Araguaina=Araguaína; Ashkhabad=Ashgabat; Asmera=Asmara; Asuncion=Asunción; Belem=Belém;
Bogota=Bogotá; Busingen=Büsingen; Calcutta=Kolkata; Cancun=Cancún; Chisinau=Chișinău;
Chungking=Chongqing; Ciudad Juarez=Ciudad Juárez; Coral Harbour=Atikokan; Cordoba=Córdoba;
Cuiaba=Cuiabá; Curacao=Curaçao; Dacca=Dhaka; DumontDUrville=Dumont d’Urville; Eirunepe=Eirunepé;
El Aaiun=El Aaiún; Enderbury=Kanton; Faeroe=Faroe; Godthab=Nuuk; Ho Chi Minh=Ho Chi Minh City;
Katmandu=Kathmandu; Kiev=Kyiv; Lome=Lomé; Macao=Macau; Maceio=Maceió; Mahe=Mahé;
Mazatlan=Mazatlán; Merida=Mérida; Noumea=Nouméa; Ponape=Pohnpei; Rangoon=Yangon; Reunion=Réunion;
Rio Gallegos=Río Gallegos; Saigon=Ho Chi Minh City; Samoa=Pago Pago; Santarem=Santarém; Sao
Paulo=São Paulo; Sao Tome=São Tomé; Scoresbysund=Ittoqqortoormiit; St Johns=St. John’s;
Thimbu=Thimphu; Tirane=Tirana; Truk=Chuuk; Tucuman=Tucumán; Ujung Pandang=Makassar; Ulan
Bator=Ulaanbaatar; Urumqi=Ürümqi; Uzhgorod=Uzhhorod; Zaporozhye=Zaporizhzhia
""")
"""IANA's spelling and the name in English."""

LOCAL = {
    "de": _pairs("""
Addis Ababa=Addis Abeba; Algiers=Algier; Aqtobe=Aktobe; Ashgabat=Aşgabat; Astrakhan=Astrachan;
Athens=Athen; Azores=Azoren; Baghdad=Bagdad; Belgrade=Belgrad; Bishkek=Bischkek; Brussels=Brüssel;
Bucharest=Bukarest; Cairo=Kairo; Canary=Kanaren; Cape Verde=Cabo Verde; Cayman=Kaimaninseln;
Chita=Tschita; Christmas=Weihnachtsinsel; Comoro=Komoren; Copenhagen=Kopenhagen;
Damascus=Damaskus; Dar es Salaam=Daressalam; Djibouti=Dschibuti; Dushanbe=Duschanbe;
Easter=Osterinsel; Faroe=Färöer; Fiji=Fidschi; Havana=Havanna; Ho Chi Minh City=Ho-Chi-Minh-Stadt;
Hong Kong=Hongkong; Jamaica=Jamaika; Kamchatka=Kamtschatka; Karachi=Karatschi; Khandyga=Chandyga;
Khartoum=Khartum; Kirov=Kirow; Kolkata=Kalkutta; Krasnoyarsk=Krasnojarsk; Kyiv=Kiew;
Lisbon=Lissabon; Luxembourg=Luxemburg; Maldives=Malediven; Mexico City=Mexiko-Stadt;
Mogadishu=Mogadischu; Moscow=Moskau; Muscat=Maskat; Mérida=Merida; Nicosia=Nikosia;
Novokuznetsk=Nowokuznetsk; Novosibirsk=Nowosibirsk; Porto-Novo=Porto Novo; Prague=Prag;
Pyongyang=Pjöngjang; Qatar=Katar; Reykjavik=Reykjavík; Riyadh=Riad; Rome=Rom; Sakhalin=Sachalin;
Saratov=Saratow; Singapore=Singapur; South Georgia=Südgeorgien; Taipei=Taipeh; Tashkent=Taschkent;
Tbilisi=Tiflis; Tehran=Teheran; Tokyo=Tokio; Tripoli=Tripolis; Ulyanovsk=Uljanowsk;
Vatican=Vatikan; Vienna=Wien; Vladivostok=Wladiwostok; Volgograd=Wolgograd; Warsaw=Warschau;
Yakutsk=Jakutsk; Yangon=Rangun; Yekaterinburg=Jekaterinburg; Yerevan=Eriwan; Zurich=Zürich
"""),
    "es": _pairs("""
Abidjan=Abiyán; Accra=Acra; Addis Ababa=Adís Abeba; Adelaide=Adelaida; Aden=Adén; Algiers=Argel;
Amman=Ammán; Amsterdam=Ámsterdam; Anadyr=Anádyr; Anguilla=Anguila; Aqtobe=Aktobe;
Ashgabat=Asjabad; Astrakhan=Astracán; Athens=Atenas; Baghdad=Bagdad; Bahia=Bahía; Bahrain=Baréin;
Baku=Bakú; Barnaul=Barnaúl; Belgrade=Belgrado; Belize=Belice; Belém=Belén; Berlin=Berlín;
Bermuda=Bermudas; Bissau=Bisáu; Brunei=Brunéi; Brussels=Bruselas; Bucharest=Bucarest; Cairo=El
Cairo; Canary=Canarias; Cape Verde=Cabo Verde; Cayenne=Cayena; Cayman=Caimán; Chita=Chitá;
Chișinău=Chisináu; Christmas=Navidad; Comoro=Comoras; Conakry=Conakri; Copenhagen=Copenhague;
Curaçao=Curazao; Damascus=Damasco; Dar es Salaam=Dar es-Salam; Dhaka=Daca; Djibouti=Yibuti;
Douala=Duala; Dubai=Dubái; Dublin=Dublín; Dushanbe=Dusambé; Easter=Isla de Pascua; Faroe=Islas
Feroe; Fiji=Fiyi; Grand Turk=Gran Turca; Grenada=Granada; Guadeloupe=Guadalupe;
Guernsey=Guernesey; Havana=La Habana; Hebron=Hebrón; Ho Chi Minh City=Ciudad Ho Chi Minh;
Honolulu=Honolulú; Indianapolis=Indianápolis; Isle of Man=Isla de Man; Istanbul=Estambul;
Jakarta=Yakarta; Jerusalem=Jerusalén; Johannesburg=Johannesburgo; Kaliningrad=Kaliningrado;
Kathmandu=Katmandú; Khandyga=Khandiga; Khartoum=Jartum; Kirov=Kírov; Kolkata=Calcuta; Kyiv=Kiev;
Lisbon=Lisboa; Ljubljana=Liubliana; London=Londres; Los Angeles=Los Ángeles;
Luxembourg=Luxemburgo; Magadan=Magadán; Makassar=Makasar; Maldives=Maldivas; Manaus=Manaos;
Martinique=Martinica; Mauritius=Mauricio; Mexico City=Ciudad de México; Mogadishu=Mogadiscio;
Monaco=Mónaco; Moscow=Moscú; Muscat=Mascate; New York=Nueva York; Nouakchott=Nuakchot;
Nouméa=Numea; Ouagadougou=Uagadugú; Palau=Palaos; Panama=Panamá; Paris=París; Port of Spain=Puerto
España; Port-au-Prince=Puerto Príncipe; Porto-Novo=Portonovo; Prague=Praga; Qatar=Catar;
Reykjavik=Reikiavik; Rio Branco=Río Branco; Riyadh=Riad; Rome=Roma; Réunion=Reunión;
Saipan=Saipán; Sakhalin=Sajalín; Samarkand=Samarcanda; Santiago=Santiago de Chile;
Saratov=Sarátov; Seoul=Seúl; Shanghai=Shanghái; Simferopol=Simferópol; Singapore=Singapur;
Skopje=Skopie; Sofia=Sofía; South Georgia=Georgia del Sur; Srednekolymsk=Srednekolimsk; St.
John’s=San Juan de Terranova; Stockholm=Estocolmo; Sydney=Sídney; São Tomé=Santo Tomé;
Tahiti=Tahití; Taipei=Taipéi; Tallinn=Tallin; Tashkent=Taskent; Tbilisi=Tiflis; Tehran=Teherán;
Thimphu=Timbu; Tokyo=Tokio; Tortola=Tórtola; Tripoli=Trípoli; Tunis=Túnez; Ulaanbaatar=Ulán Bator;
Ulyanovsk=Uliánovsk; Vatican=El Vaticano; Vienna=Viena; Vientiane=Vientián; Vilnius=Vilna;
Volgograd=Volgogrado; Warsaw=Varsovia; Yangon=Yangón; Yekaterinburg=Ekaterimburgo; Yerevan=Ereván;
Zurich=Zúrich
"""),
    "fr": _pairs("""
Addis Ababa=Addis-Abeba; Adelaide=Adélaïde; Algiers=Alger; Almaty=Alma Ata; Andorra=Andorre;
Aqtobe=Aktioubinsk; Ashgabat=Achgabat; Athens=Athènes; Atyrau=Atyraou; Azores=Açores;
Baghdad=Bagdad; Bahrain=Bahreïn; Baku=Bakou; Barbados=La Barbade; Beirut=Beyrouth;
Bermuda=Bermudes; Bishkek=Bichkek; Brussels=Bruxelles; Bucharest=Bucarest; Cairo=Le Caire;
Canary=Canaries; Cape Verde=Cap-Vert; Cayman=Caïmans; Chita=Tchita; Comoro=Comores;
Copenhagen=Copenhague; Damascus=Damas; Detroit=Détroit; Dominica=Dominique; Dubai=Dubaï;
Dushanbe=Douchanbé; Easter=Île de Pâques; Efate=Éfaté; El Aaiún=Laâyoune; Famagusta=Famagouste;
Faroe=Îles Féroé; Fiji=Fidji; Grenada=Grenade; Guernsey=Guernesey; Havana=La Havane;
Hebron=Hébron; Ho Chi Minh City=Hô-Chi-Minh-Ville; Irkutsk=Irkoutsk; Isle of Man=Île de Man;
Jamaica=Jamaïque; Jerusalem=Jérusalem; Kabul=Kaboul; Kamchatka=Kamtchatka; Kathmandu=Katmandou;
Kolkata=Calcutta; Krasnoyarsk=Krasnoïarsk; Kuwait=Koweït; Kyiv=Kiev; Lisbon=Lisbonne;
London=Londres; Madeira=Madère; Makassar=Macassar; Malta=Malte; Manaus=Manaos; Manila=Manille;
Marquesas=Marquises; Mauritius=Maurice; Mexico City=Mexico; Mogadishu=Mogadiscio; Moscow=Moscou;
Muscat=Mascate; Nicosia=Nicosie; Novosibirsk=Novossibirsk; Oral=Ouralsk; Palau=Palaos; Port of
Spain=Port-d’Espagne; Puerto Rico=Porto Rico; Riyadh=Riyad; Réunion=La Réunion;
Sakhalin=Sakhaline; Samarkand=Samarcande; San Marino=Saint-Marin; Santo Domingo=Saint-Domingue;
Seoul=Séoul; Singapore=Singapour; South Georgia=Géorgie du Sud; St. John’s=Saint-Jean de
Terre-Neuve; Tashkent=Tachkent; Tbilisi=Tbilissi; Tehran=Téhéran; Thule=Thulé;
Ulaanbaatar=Oulan-Bator; Ulyanovsk=Oulianovsk; Ushuaia=Ushuaïa; Vatican=Le Vatican; Vienna=Vienne;
Warsaw=Varsovie; Yakutsk=Iakoutsk; Yangon=Rangoun; Yekaterinburg=Ekaterinbourg; Yerevan=Erevan
"""),
}
"""The name in English and in the language, by language."""


def city_of(zone: str) -> str:
    """The city of a zone in the active language; empty for zones such as ``UTC`` and ``CET``."""
    if zone in ALIASES:
        return _translated(ALIASES[zone])
    if "/" not in zone or zone.startswith("Etc/"):
        return ""
    return _translated(zone.rpartition("/")[2].replace("_", " "))


def _translated(name: str) -> str:
    name = ENGLISH.get(name, name)
    return LOCAL.get(_language(), {}).get(name, name)


def _language() -> str:
    return (get_language() or "").partition("-")[0]


def cities_for_script() -> str:
    """``Calcutta=Kolkata;Kiev=Kyiv;…`` in the active language, for the zone of the visitor."""
    return _cities_for_script(_language())


@lru_cache(maxsize=8)
def _cities_for_script(language: str) -> str:
    names = dict.fromkeys([*ENGLISH, *LOCAL.get(language, {})])
    pairs = ((name, _translated(name)) for name in names)
    return ";".join(f"{name}={city}" for name, city in pairs if name != city)
