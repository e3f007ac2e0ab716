-- One ledger for all releases of a survey, whatever their profile: classes of the scientific ones lie within those of the public ones. A ledger
-- of public releases alone goes on. Of any other nothing is left but that it was there: further releases of these surveys are refused.

update release_ledgers set book = ''
where survey in (select survey from release_ledgers where profile <> 'public');

update release_ledgers as other set texts = scientific.texts
from release_ledgers as scientific
where scientific.survey = other.survey and scientific.profile = 'scientific';

delete from release_ledgers as other using release_ledgers as kept
where kept.survey = other.survey and kept.profile < other.profile;

alter table release_ledgers drop constraint release_ledgers_pkey, drop column profile, add primary key (survey);
