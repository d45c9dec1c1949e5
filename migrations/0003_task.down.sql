drop table task;
drop table series;
