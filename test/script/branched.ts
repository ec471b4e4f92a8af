/** A small ceremony that goes different ways: a branch with a join, and failures that lead back, onward and away for a while. */
export const BRANCHED = `conclave: 1
id: branched
title: Dev ceremony of two ways
summary: A dev ceremony in which a number is printed or written by hand.
classification: dev
parameters:
  place: { type: string, summary: where it is held, choices: [cellar, attic], default: cellar }
roles:
  administrator: { count: 1, identity: required, distinct-from: [witness], summary: drives }
  witness: { count: 1, identity: required, distinct-from: [administrator], summary: attests }
branches:
  output:
    summary: how the number gets on paper
    when: steps.printer.answer == 'works' and parameters.place == 'cellar'
    gives:
      number: { then: '\${{ steps.typed.answer }}', else: '\${{ steps.written.answer }}' }
acts:
  - id: convene
    title: Convene
    steps:
      - id: presence
        title: The administrator confirms who is present
        by: administrator
        do: confirm
        say: Everybody is here.
        on-failure: postpone
      - id: printer
        title: What does the administrator say of the printer?
        by: administrator
        do: ask
        choices: [works, broken]
  - id: paper
    title: Put the number on paper
    branch: output.then
    steps:
      - id: typed
        title: Which number did the administrator print?
        by: administrator
        do: ask
  - id: hand
    title: Write the number by hand
    branch: output.else
    steps:
      - id: written
        title: Which number did the administrator write?
        by: administrator
        do: ask
      - id: twice
        title: The witness looks at the handwriting
        by: witness
        do: confirm
        say: It can be read.
  - id: compare
    title: Compare
    steps:
      - id: compare
        title: Each witness compares the number
        by: witness
        each: witness
        do: confirm
        say: The number is \${{ branches.output.number }}.
        on-failure: step printer
      - id: lamp
        title: The administrator looks at the lamp
        by: administrator
        do: confirm
        say: The lamp burns.
        on-failure: act close
      - id: shade
        title: The administrator looks at the shade
        by: administrator
        do: confirm
        say: The shade is whole.
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
`;
