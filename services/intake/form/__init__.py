"""The form: flow, rules, and the pages that respondents see."""
