"""The pages that respondents see: from an instrument, a draft and a language to HTML. Pure; the routes do the talking."""
