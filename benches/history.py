#!/usr/bin/env python3
"""Compares what `foretaste audit` counts with counts that were made by an independent reader.

    benches/history.py rasa-demo  PATH_TO_CLONE [FORETASTE]
    benches/history.py conll      PATH_TO_CLONE [FORETASTE]

The first is RasaHQ/rasa-demo, the second CODAIT/Identifying-Incorrect-Labels-In-CoNLL-2003. Prints a line a commit
with what was expected and what was found, by kind: R rename or split, M merge, C carve-out, F flip, I fill, B blank.
Exact matches only: copies and near-duplicates stand outside the counts. Ends with 1 where any line differs. Commit ids
and counts alone are kept here, no content.
"""

import collections
import json
import re
import subprocess
import sys
import tempfile

KINDS = {"rename": "R", "merge": "M", "carve-out": "C", "flip": "F", "fill": "I", "blank": "B"}

RASA = """
cf006a0cc2 R968
0b756714ab R692
94151266df R342
05592c1ae2 R83 C63 F12
a0b02fa740 R90
8cbd5b2daf R47 F3
eb81283b70 R47 F3
e5e4410c08 R47 F3
cc82c73fd1 R47 F3
1a0b010a03 F49
cbc184fa93 M41
b663cd3caa R46
fbee5df789 R41
6dc8e4413c F31
1d18b2f856 F31
3829bd41c3 F23
6dbb135b00 F23
624d10a80a R12
648d0fa8a8 R1
14048c8ff6 F8
96163261f3 F5
b24768dbb7 C6
f5e48a607f F3 M2
f15454d0eb C4
13d1c18099 C2
39f6dc7c27 C1
497d974047 F4
492f4876fe F1
967eb63be2 F2 M2
178adf1059 F4
87ddc2bd8c F3
34cf46c3f2 M3
b14859d29b M2
e99b271264 M1
00ad1ae919 F2
7757bf7857 C1 F1
9d37b57742 F1
0b0a33fa79 F1
81e5d15d13 F1
3697b2e209 F1
bb9d64e9a1 F1
04ee280c5e F1
4b77ba9eca F1
51ed45e175 F1
00a6d93b5a F1
58edd884d6 F1
"""

ERRORS = """
ff46fd9996 I336 F7
468a83e947 I108
862ed4ecdc F49
6712824d33 F39 I1
fdba0fa888 F9
8de2dc18f2 F3
2d0a22aed2 F6
23d3e8f0c6 F2
228f3eaa4c F1
"""

CORRECTIONS = """
9b897c22b8 I58 F4 B2 C1
2785a8f343 I5 B4 F3 M1
39de237b7e B3 I2 F1
dd01375790 I4 B1
2d9b8f6ddd I1 B1 F1
015c666cf7 I3
f3684a05ab I1
6a3d2f32a7 I1
8c0320c6f3 M1
2035e84d86 F1
"""

# Labels that the merge has and none of its parents, before the classes are put into each other's words; after that none.
RASA_MERGES = {"c2157d27e9": 14, "0fdeb82298": 8, "b6a0d37759": 8, "6e55226b95": 7, "8d142b4b7a": 1}

KEY = "text: [fold, doc_offset, corpus_span]"

# Other data of the same repository is read too; only these files count.
PATHS = {
    "intents": r"data/.*\.(md|yml)$",
    "errors": r"human_labels.*\.csv$|corrected_labels/CoNLL.*csv$",
    "corrections": r"all_conll_corrections_combined\.csv$",
}

SETS = {
    "rasa-demo": [("intents", RASA, 'files: ["**/data/**/*.md", "**/data/**/*.yml"]\n    text: [text]\n    label: intent')],
    "conll": [
        (
            "errors",
            ERRORS,
            'files: ["**/*human_labels*.csv", "**/*human_labels*/**/*.csv", "**/*corrected_labels/CoNLL*csv", '
            # The folder that files came from: what only moves is no change.
            f'"**/*corrected_labels/CoNLL*/**/*csv", "**/archive_old_files/CoNLL*csv"]\n    {KEY}\n    label: error_type\n    null: [""]',
        ),
        ("corrections", CORRECTIONS, f'files: ["**/*all_conll_corrections_combined.csv"]\n    {KEY}\n    label: correct_ent_type\n    null: [""]'),
    ],
}


def audit(clone, program, name, words):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as policy:
        policy.write(f"version: 1\ndatasets:\n  {name}:\n    {words}\n")
        policy.write('exclude: ["**/*.json", "**/*.txt", "**/*.tsv"]\n')
        policy.flush()
        run = subprocess.run(
            [program, "audit", "--format", "json", "--policy", policy.name, "--as-of", "2026-11-01"],
            cwd=clone, capture_output=True, text=True, check=False,
        )
    if run.returncode not in (0, 1):
        sys.exit(f"foretaste ended with {run.returncode}: {run.stderr}{run.stdout[:2000]}")
    return json.loads(run.stdout)


def table(text):
    rows = (line.split() for line in text.strip().splitlines())
    return {commit: collections.Counter({cell[0]: int(cell[1:]) for cell in cells}) for commit, *cells in rows}


def words(counts):
    return " ".join(f"{kind}{counts[kind]}" for kind in "RMCFIB" if counts[kind]) or "-"


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in SETS:
        sys.exit(__doc__)
    which, clone = sys.argv[1:3]
    program = sys.argv[3] if len(sys.argv) > 3 else "foretaste"
    wrong = 0
    for name, text, declared in SETS[which]:
        report = audit(clone, program, name, declared)
        found, evil = {}, {}
        for commit in report["commits"]:
            counts = collections.Counter()
            for change in commit["label_changes"]:
                counted = re.search(PATHS[name], change["path"])
                if counted and not change.get("copies") and not change.get("near"):
                    counts[KINDS[change["kind"]]] += change["count"]
            found[commit["commit"][:10]] = counts
            evil[commit["commit"][:10]] = commit.get("evil_merge", False)
        expected = table(text)
        merges = RASA_MERGES if which == "rasa-demo" else {}
        print(f"{name}: expected {words(sum(expected.values(), collections.Counter()))}")
        for commit in [*expected, *sorted(set(found) - set(expected) - set(merges))]:
            want, got = expected.get(commit, collections.Counter()), found.get(commit, collections.Counter())
            same = want == got
            if commit not in expected and not got:
                continue
            wrong += not same
            print(f"  {commit} expected {words(want):<20} found {words(got):<20} {'' if same else '<-- differs'}")
        for commit, want in merges.items():
            got = sum(found.get(commit, {}).values())
            print(f"  {commit} merge: expected {want}, found {got}; after the maps expected none, found {'some' if evil.get(commit) else 'none'}")
        told = collections.Counter(f["severity"] for f in report["findings"])
        print(f"  findings: {dict(told)}; {report['coverage']}")
        for finding in report["findings"]:
            if finding["severity"] != "note":
                print(f"    {finding['severity']} {finding['rule']} {finding['message'][:200]}")
    print(f"{wrong} lines differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
