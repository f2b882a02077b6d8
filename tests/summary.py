#!/usr/bin/env python3
"""Adds up what Meson recorded of its runs and closes with one line: N passed, N failed, N skipped."""
import json
import pathlib
import sys

PASSED, FAILED, SKIPPED = {'OK', 'EXPECTEDFAIL'}, {'FAIL', 'ERROR', 'TIMEOUT', 'INTERRUPT', 'UNEXPECTEDPASS'}, {'SKIP'}


def main(folders):
    """Counts tests, not programs, where a program told how many it ran (TAP)."""
    passed = failed = skipped = 0
    for folder in folders:
        for path in sorted(pathlib.Path(folder).glob('testlog*.json')):
            for line in path.read_text().splitlines():
                result = json.loads(line)
                lines = (result.get('stdout') or '').splitlines()
                tap = [text for text in lines if text.startswith(('ok ', 'not ok '))]
                if tap:
                    failed += sum(text.startswith('not ok') for text in tap)
                    skipped += sum('# SKIP' in text.upper() for text in tap if text.startswith('ok'))
                    passed += sum('# SKIP' not in text.upper() for text in tap if text.startswith('ok'))
                    if result['result'] in FAILED and not any(text.startswith('not ok') for text in tap):
                        failed += 1
                elif result['result'] in SKIPPED:
                    skipped += 1
                elif result['result'] in PASSED:
                    passed += 1
                else:
                    failed += 1
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
