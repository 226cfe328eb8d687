"""Medicines: who takes what from when, as long-term repeats.

A medicine starts some months after the condition it is for, in a share of those who have it. Codes are BNF
presentation codes of fifteen characters: the chemical substance as the British National Formulary groups it, and a
made-up presentation ending.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ageingwell.synthetic.check_digit import with_check_digit
from ageingwell.synthetic.conditions import NEVER, POSITION
from ageingwell.synthetic.people import YEAR, People

Array = np.ndarray
PRESENTATION = "AAABAB"


@dataclass(frozen=True)
class Medicine:
    """A medicine: its nine-character BNF chemical code and the share of people with each condition who take it.

    `anyone` is the share at 75 of people who take it for no condition we know.
    """

    name: str
    chemical: str
    anyone: float = 0.0
    reasons: tuple[tuple[str, float], ...] = ()
    is_risky: bool = False


MEDICINES: tuple[Medicine, ...] = (
    Medicine(
        "atorvastatin",
        "0212000B0",
        0.28,
        (("efi_coronary_heart_disease", 0.5), ("efi_stroke_tia", 0.5), ("efi_diabetes", 0.4)),
    ),
    Medicine("amlodipine", "0206020A0", 0.0, (("efi_hypertension", 0.42),)),
    Medicine("ramipril", "0205051R0", 0.0, (("efi_hypertension", 0.42), ("efi_heart_failure", 0.5))),
    Medicine("indapamide", "0202010P0", 0.0, (("efi_hypertension", 0.15),)),
    Medicine(
        "bisoprolol",
        "0204000H0",
        0.0,
        (("efi_atrial_fibrillation", 0.6), ("efi_heart_failure", 0.6), ("efi_coronary_heart_disease", 0.4)),
    ),
    Medicine("furosemide", "0202020L0", 0.03, (("efi_heart_failure", 0.8),)),
    Medicine(
        "aspirin", "0209000A0", 0.04, (("efi_coronary_heart_disease", 0.65), ("efi_peripheral_vascular_disease", 0.5))
    ),
    Medicine("clopidogrel", "0209000C0", 0.0, (("efi_stroke_tia", 0.6),)),
    Medicine("apixaban", "0208020Z0", 0.01, (("efi_atrial_fibrillation", 0.75),)),
    Medicine("warfarin", "0208020V0", 0.0, (("efi_atrial_fibrillation", 0.1), ("efi_heart_valve_disease", 0.2))),
    Medicine("metformin", "0601022B0", 0.0, (("efi_diabetes", 0.6),)),
    Medicine("gliclazide", "0601021M0", 0.0, (("efi_diabetes", 0.2),)),
    Medicine("insulin glargine", "0601012V0", 0.0, (("efi_diabetes", 0.12),), True),
    Medicine("omeprazole", "0103050P0", 0.28, (("efi_peptic_ulcer", 0.5), ("efi_arthritis", 0.1))),
    Medicine("lansoprazole", "0103050L0", 0.11),
    Medicine("levothyroxine", "0602010V0", 0.0, (("efi_thyroid_disorders", 0.8),)),
    Medicine("salbutamol", "0301011R0", 0.02, (("efi_respiratory_disease", 0.75),)),
    Medicine("beclometasone", "0302000C0", 0.0, (("efi_respiratory_disease", 0.5),)),
    Medicine("tiotropium", "0301020Q0", 0.0, (("efi_respiratory_disease", 0.3),)),
    Medicine("alendronic acid", "0606020A0", 0.01, (("efi_osteoporosis", 0.55), ("efi_fragility_fracture", 0.25))),
    Medicine("colecalciferol", "0906040G0", 0.12, (("efi_osteoporosis", 0.6),)),
    Medicine("paracetamol", "0407010H0", 0.07, (("efi_arthritis", 0.3),)),
    Medicine("co-codamol", "0407010F0", 0.02, (("efi_arthritis", 0.15),), True),
    Medicine("codeine", "0407020C0", 0.01, (("efi_arthritis", 0.07),), True),
    Medicine("morphine", "0407020Q0", 0.004, (("cancer", 0.07),), True),
    Medicine("sertraline", "0403030Q0", 0.03, (("depression", 0.5),)),
    Medicine("mirtazapine", "0403040X0", 0.01, (("depression", 0.2),), True),
    Medicine("amitriptyline", "0403010B0", 0.03, (("efi_sleep_disturbance", 0.15), ("efi_arthritis", 0.06)), True),
    Medicine("zopiclone", "0401010Z0", 0.01, (("efi_sleep_disturbance", 0.3),), True),
    Medicine("diazepam", "0401020K0", 0.006, (("efi_sleep_disturbance", 0.06),), True),
    Medicine("donepezil", "0411000D0", 0.0, (("dementia", 0.4),)),
    Medicine("quetiapine", "0402010AB", 0.002, (("dementia", 0.07),), True),
    Medicine("solifenacin", "0704020AB", 0.01, (("efi_urinary_incontinence", 0.3),), True),
    Medicine("oxybutynin", "0704020J0", 0.0, (("efi_urinary_incontinence", 0.12),), True),
    Medicine("tamsulosin", "0704010U0", 0.0, (("efi_urinary_system_disease", 0.45),)),
    Medicine("emollient", "130201000", 0.07, (("efi_skin_ulcer", 0.5),)),
    Medicine("co-careldopa", "0409010N0", 0.0, (("efi_parkinsons", 0.9),)),
    Medicine("ferrous sulfate", "0901011P0", 0.02, (("efi_anaemia", 0.4),)),
    Medicine("hydroxocobalamin", "0901020N0", 0.02, (("efi_anaemia", 0.2),)),
    Medicine("allopurinol", "1001040C0", 0.04),
    Medicine("gabapentin", "0408010G0", 0.02, (("efi_arthritis", 0.06),), True),
    Medicine("latanoprost", "1106000L0", 0.01, (("efi_vision_problems", 0.25),)),
    Medicine("macrogol", "0106040M0", 0.07, (("efi_parkinsons", 0.4),)),
    Medicine("prochlorperazine", "0406000T0", 0.0, (("efi_dizziness", 0.15),), True),
)


def made_up_dmd_codes() -> dict[str, str]:
    """A made-up dm+d code for each medicine of `MEDICINES`, by its BNF code: what a practice sends that has no other.

    >>> list(made_up_dmd_codes().items())[0]
    ('0212000B0AAABAB', '397000001000001104')
    """
    return {
        f"{medicine.chemical}{PRESENTATION}": with_check_digit(f"{39700000 + 7919 * place}100000110")
        for place, medicine in enumerate(MEDICINES)
    }


def dmd_to_bnf() -> pl.DataFrame:
    """The look-up of the made-up dm+d codes, as a CSV may hold it for real ones: dmd_code, bnf_code."""
    codes = made_up_dmd_codes()
    return pl.DataFrame({"dmd_code": list(codes.values()), "bnf_code": list(codes)})


@dataclass(frozen=True)
class Courses:
    """First and last day of each medicine for each person (people by medicines); `NEVER` where it is not taken."""

    starts: Array
    ends: Array

    def count(self, day: int) -> Array:
        """How many medicines each person takes on a day."""
        return np.asarray(((self.starts <= day) & (self.ends > day)).sum(axis=1))

    def count_risky(self, day: int) -> Array:
        """How many of them make people drowsy, dizzy or confused."""
        risky = [place for place, medicine in enumerate(MEDICINES) if medicine.is_risky]
        return np.asarray(((self.starts[:, risky] <= day) & (self.ends[:, risky] > day)).sum(axis=1))


def draw_courses(people: People, *, onsets: Array, rng: np.random.Generator) -> Courses:
    """Draw when each person starts and stops each medicine."""
    n = len(people)
    # Some people, and some doctors, hold with medicines more than others.
    keenness = np.exp(0.3 * rng.normal(size=n) + 0.1 * people.frailty)
    starts = np.full((n, len(MEDICINES)), NEVER, dtype=np.int32)
    ends = np.full_like(starts, NEVER)
    for place, medicine in enumerate(MEDICINES):
        first = np.full(n, float(NEVER))
        if medicine.anyone:
            level = np.log(medicine.anyone / (1 - medicine.anyone)) + 0.3 + 0.3 * people.frailty + np.log(keenness)
            age = 75 + 10 * (rng.logistic(size=n) - level) / 0.5
            first = np.where((age > 45) & (age < 110), people.born + age * YEAR, NEVER)
        for condition, share in medicine.reasons:
            taken = rng.random(n) < 1.4 * share * keenness
            lag = rng.exponential(200, n)
            first = np.where(taken, np.minimum(first, onsets[:, POSITION[condition]] + lag), first)
        starts[:, place] = np.minimum(first, NEVER)
        stopped = rng.random(n) < 0.2
        ends[:, place] = np.where(stopped & (first < NEVER), first + 60 + rng.exponential(2500, n), NEVER)
    return Courses(starts=starts, ends=ends)
