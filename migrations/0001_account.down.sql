drop table sign_in_attempt;
drop table session;
drop table account;
