"""The pages that respondents see: from an instrument, a draft and a language to HTML. Pure; `routes_pages` does the talking."""
